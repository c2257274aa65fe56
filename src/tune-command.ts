import type { CommandReply } from './ports/bot.ts'
import type { Job } from './ports/store.ts'
import type { TuneOptions, Tuning } from './ports/tune.ts'
import { readBudget, tunePlanText, tuneReportText } from './tuning.ts'

interface Given {
  readonly by: string
  readonly tuning: Tuning
  /** Called once a search has started. */
  readonly started: (job: Job) => Promise<void>
}

/**
 * `tune-prompt [show]` and `tune-prompt start [20min] [--promote] [confirm]` in a chat: the newest report, and the plan of
 * another search, which takes long and so wants `confirm`.
 *
 * @example await tuneCommand(['start', '5min', 'confirm'], { by: 'web:anna', tuning, started })
 */
export async function tuneCommand(words: readonly string[], { by, tuning, started }: Given): Promise<CommandReply> {
  const [action = 'show', ...rest] = words
  if (action === 'start') {
    const options = optionsOf(rest)
    const plan = await tuning.plan(options)
    const text = tunePlanText(plan)
    if (plan.refusal) return { ok: false, text, data: plan }
    if (!rest.includes('confirm')) {
      return { ok: false, text: `${text}\nSay \`tune-prompt ${words.join(' ')} confirm\` to do it.`, data: plan }
    }
    const job = await tuning.start(by, options)
    await started(job)
    return { ok: true, text: `The search has started. ${text}`, data: job }
  }
  if (action !== 'show' && action !== 'confirm') return { ok: false, text: '`tune-prompt` knows show and start.' }
  const last = await tuning.last()
  if (!last) return { ok: false, text: 'No prompt was searched yet. `tune-prompt start` says what it would do.' }
  const table = tuneReportText({ ...last, text: '' })
    .trimEnd()
    .replaceAll('```', "'''")
  return { ok: true, text: `\`\`\`\n${table}\n\`\`\`\n${last.text}`, data: last }
}

/** What is neither a flag nor the `confirm` is the budget. */
function optionsOf(words: readonly string[]): TuneOptions {
  const budget = words.find((word) => word !== 'confirm' && !word.startsWith('--'))
  return {
    ...(budget === undefined ? {} : { budget: readBudget(budget) }),
    ...(words.includes('--promote') ? { promote: true } : {}),
  }
}
