import { comparePlanText, comparisonText } from './comparison.ts'
import type { CommandReply } from './ports/bot.ts'
import type { Comparing } from './ports/compare.ts'
import type { Job } from './ports/store.ts'

interface Given {
  readonly by: string
  /** Whose feedback, and whose comparisons are shown. */
  readonly tenant: string
  readonly comparing: Comparing
  /** Called once a comparison has started. */
  readonly started: (job: Job) => Promise<void>
}

/**
 * `compare [show]` and `compare start [confirm]` in a chat: the newest result, and the plan of another one, which takes
 * long and so wants `confirm`.
 *
 * @example await compareCommand(['start', 'confirm'], { by: 'web:anna', tenant: 'web', comparing, started })
 */
export async function compareCommand(
  [action = 'show', sure]: readonly string[],
  { by, tenant, comparing, started }: Given,
): Promise<CommandReply> {
  if (action === 'start') {
    const plan = await comparing.plan({ tenant })
    const text = comparePlanText(plan)
    if (plan.refusal) return { ok: false, text, data: plan }
    if (sure !== 'confirm') return { ok: false, text: `${text}\nSay \`compare start confirm\` to do it.`, data: plan }
    const job = await comparing.start(by, { tenant })
    await started(job)
    return { ok: true, text: `The comparison has started. ${text}`, data: job }
  }
  if (action !== 'show' && action !== 'confirm') return { ok: false, text: '`compare` knows show and start.' }
  const last = await comparing.last(tenant)
  if (!last) return { ok: false, text: 'Nothing was compared yet. `compare start` says what it would do.' }
  const [table, advice] = [comparisonText({ ...last, advice: { text: '' } }).trimEnd(), last.advice.text]
  return { ok: true, text: `\`\`\`\n${table}\n\`\`\`\n${advice}`, data: last }
}
