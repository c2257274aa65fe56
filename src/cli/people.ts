import type { Desk } from './desk.ts'
import type { Output } from './output.ts'

/** `hone why TURN`. */
export async function why(turn: string, desk: Desk, output: Output): Promise<void> {
  const { text, data } = await desk.why(turn)
  output.result(text, data)
}

/** `hone forget PERSON`. */
export async function forget(person: string, desk: Desk, output: Output): Promise<void> {
  const found = await desk.forget(person)
  const { rows, versions, serving, retraining } = found
  const lines = [rows > 0 ? `Deleted ${rows} rows of ${person}.` : `Nothing is known of ${person}.`]
  if (versions.length > 0) lines.push(`Learned from it: ${versions.join(', ')}.`)
  if (serving) lines.push(`${serving} serves now: it never saw any of it.`)
  if ('job' in retraining) lines.push(`Training without it has started: ${retraining.job}.`)
  else if (versions.length > 0) lines.push(retraining.none)
  output.result(lines.join('\n'), { person, ...found })
}
