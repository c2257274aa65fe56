import { checkMark, checkText, type RunView } from '../../shared/run.ts'
import { asItIs, type Block } from './reply.ts'
import { escaped, short } from './text.ts'

const width = 20

/** A training run as one message: how far it is, the course of the loss, and what the gate said. */
export function runBlocks(view: RunView): Block[] {
  const { phase, step, steps, loss, spark, etaSeconds, ended, gate } = view
  const lines = [`*Training* · ${escaped(phase)}`]
  if (steps > 0) {
    const done = Math.round((Math.min(step, steps) / steps) * width)
    const left = etaSeconds === undefined || ended ? '' : ` · ${minutes(etaSeconds)} left`
    lines.push(`\`${'█'.repeat(done)}${'░'.repeat(width - done)}\` ${step}/${steps}${left}`)
  }
  if (loss !== undefined) lines.push(`loss ${loss.toFixed(3)}  \`${spark}\``)
  for (const check of gate?.checks ?? []) lines.push(`${checkMark(check)} ${escaped(checkText(check))}`)
  return [{ type: 'section', text: asItIs(short(lines.join('\n'), 3000)) }]
}

function minutes(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`
}
