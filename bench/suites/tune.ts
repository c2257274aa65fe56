import { tuneReportText } from '../../src/tuning.ts'
import { type Behaviour, behaviour, judgeAll, showOnly } from '../judging.ts'
import { handbooks, openLab, withoutExamples } from '../lab.ts'
import { honest, type Rule, rules } from '../rater.ts'
import { figure, type Result, seeded } from '../result.ts'

const judgedPrompts = 100
const minutes = 10

/**
 * What a search for a better prompt comes to on the starter model: the rater of the loop, with a taste that the model
 * doesn't know, judges 100 prompts; then `tune-prompt`, and fresh replies to questions on another handbook with the
 * profile that served before and with the best prompt found, if the gate didn't refuse it.
 */
export async function run(say: (text: string) => void, only?: string): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const rule of rules.filter(({ name }) => only === undefined || name === only))
    results.push(...(await tuned(rule, (text) => say(`${rule.name}: ${text}`))))
  return results
}

async function tuned(rule: Rule, say: (text: string) => void): Promise<readonly Result[]> {
  const [unseen, ...books] = (await handbooks()).filter(({ folder }) => /handbook-\d+$/.test(folder))
  if (!unseen) throw new Error('There are no handbooks under bench/fixtures/starter.')
  await using lab = await openLab([], { HONE_DUEL_RATE: '0.2', HONE_PROFILE: withoutExamples })
  await judgeAll(books, lab, { prompts: judgedPrompts, voters: [honest(rule)], random: seeded(1), say })
  await showOnly(unseen.folder, lab)
  const single = unseen.questions.filter(({ turns }) => !turns?.length)
  const before = await behaviour(single, rule, lab)
  const learning = await lab.parts.learning()
  await learning.tuning?.start('web:rater', { budget: { minutes } })
  for await (const event of learning.watch()) if (event.kind === 'say') say(event.text)
  const report = await learning.tuning?.last()
  if (!report) throw new Error('The search left no report.')
  say(tuneReportText(report))
  let after: Behaviour | undefined
  if (report.version) {
    await (await lab.parts.profiles()).promote(report.version, 'bench')
    after = await behaviour(single, rule, lab)
  }
  say(`fresh replies: ${JSON.stringify({ before, after })}`)
  const name = (what: string) => `tune.${rule.name}.${what}`
  const [nearer] = report.figures
  return [
    figure(name('best-on-training-side'), report.tried[0]?.value ?? Number.NaN, 'share', report.tried[0]?.what),
    figure(name('held-out-nearer'), nearer?.after ?? Number.NaN, 'share', nearer?.interval),
    figure(name('passed'), Number(report.gate?.verdict === 'promote'), 'runs', report.text),
    figure(name('follows-gain'), (after?.follows ?? before.follows) - before.follows, 'share', { before, after }),
    figure(name('right-gain'), (after?.right ?? before.right) - before.right, 'share'),
    figure(name('search-seconds'), report.spent.seconds, 's', { tokens: report.spent.tokens }),
  ]
}
