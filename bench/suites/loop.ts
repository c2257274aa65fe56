import { askAll, heldOutPairs, proseSuite, scores } from '../exam.ts'
import { behaviour, judgeAll, share, showOnly, train } from '../judging.ts'
import { handbooks, openLab, withoutExamples } from '../lab.ts'
import { honest, type Rule, rules } from '../rater.ts'
import { atLeast, atMost, figure, median, type Result, seeded } from '../result.ts'

const judgedPrompts = 60
const seeds = [1, 2, 3]

/**
 * The whole loop: a rater with a taste that the model doesn't know judges 60 prompts, one training run follows, and
 * questions on another handbook tell what was learned. Repeated with shuffled votes and with a learning rate that
 * ruins the model: both must be refused. The median over the seeds is what counts.
 *
 * @param only one rule, and one seed of it: `bullet:2`
 */
export async function run(say: (text: string) => void, only = ''): Promise<readonly Result[]> {
  const results: Result[] = []
  const [wantedRule, wantedSeed] = only.split(':')
  for (const rule of rules.filter(({ name }) => !wantedRule || name === wantedRule)) {
    const runs: Record<string, number>[] = []
    for (const seed of seeds.filter((one) => !wantedSeed || one === Number(wantedSeed)))
      runs.push(await oneSeed(rule, seed, (text) => say(`${rule.name}, seed ${seed}: ${text}`)))
    const of = (name: string): readonly number[] => runs.map((one) => one[name] ?? Number.NaN)
    const mid = (name: string) => median(of(name))
    const name = (what: string) => `loop.${rule.name}.${what}`
    results.push(
      atLeast(name('held-out-accuracy'), mid('accuracy'), 0.85, 'share', of('accuracy')),
      figure(name('held-out-accuracy-before'), 0.5, 'share', 'by definition: the reference against itself'),
      figure(name('raw-accuracy-before'), mid('rawBefore'), 'share', of('rawBefore')),
      atLeast(name('follows'), mid('followsAfter'), 0.85, 'share', of('followsAfter')),
      atLeast(name('follows-gain'), mid('followsAfter') - mid('followsBefore'), 0.4, 'share', of('followsBefore')),
      atMost(name('right-loss'), mid('rightBefore') - mid('rightAfter'), 0.02, 'share', {
        before: of('rightBefore'),
        after: of('rightAfter'),
      }),
      figure(name('says-unknown'), mid('unknownAfter'), 'share', {
        before: of('unknownBefore'),
        after: of('unknownAfter'),
      }),
      atMost(name('perplexity-ratio'), mid('perplexity'), 1.15, 'ratio', of('perplexity')),
      atMost(name('retrain-seconds'), mid('seconds'), 240, 's', of('seconds')),
      atLeast(name('promoted'), mid('promoted'), 1, 'runs', of('promoted')),
      atLeast(name('shuffled-refused'), Math.min(...of('shuffledRefused')), 1, 'runs', of('shuffledRefused')),
      atLeast(name('ruined-refused'), Math.min(...of('ruinedRefused')), 1, 'runs', of('ruinedRefused')),
    )
  }
  return results
}

async function oneSeed(rule: Rule, seed: number, say: (text: string) => void): Promise<Record<string, number>> {
  const [unseen, ...judgedBooks] = (await handbooks()).filter(({ folder }) => /handbook-\d+$/.test(folder))
  if (!unseen) throw new Error('There are no handbooks under bench/fixtures/starter.')
  await using lab = await openLab([], { HONE_DUEL_RATE: '0.2', HONE_PROFILE: withoutExamples })
  const random = seeded(seed)
  await judgeAll(judgedBooks, lab, { prompts: judgedPrompts, voters: [honest(rule)], random, say })

  await showOnly(unseen.folder, lab)
  const single = unseen.questions.filter(({ turns }) => !turns?.length)
  const before = await behaviour(single, rule, lab)
  say(`before: ${JSON.stringify(before)}`)
  const heldOut = await heldOutPairs(await askAll(single, lab), rule, lab)
  const prose = await proseSuite()

  const shuffled = await train(lab, { seed, shuffleLabels: true })
  say(`shuffled labels: ${shuffled.job.state}`)
  const ruined = await train(lab, { seed, learningRate: 3e-2, sftWeight: 0, epochs: 8 })
  say(`destructive rate: ${ruined.job.state}`)
  const { job, gate, seconds } = await train(lab, { seed })
  say(
    `trained in ${seconds.toFixed(0)} s: ${job.state} ${JSON.stringify(gate?.checks.map(({ id, value, pass }) => [id, Number(value.toPrecision(3)), pass]))}`,
  )

  const slot = await lab.parts.slot()
  const { base } = slot.version
  const reference = await slot.borrow({ id: 'v0', base }, (engine) => scores(engine, heldOut, prose))
  const after = await slot.use((engine) => scores(engine, heldOut, prose))
  const learned = await behaviour(single, rule, lab)
  say(`after: ${JSON.stringify(learned)}`)
  const gains = after.margins.map((margin, i) => margin - (reference.margins[i] ?? 0))
  return {
    accuracy: share(gains, (gain) => gain > 0),
    rawBefore: share(reference.margins, (margin) => margin > 0),
    followsBefore: before.follows,
    followsAfter: learned.follows,
    rightBefore: before.right,
    rightAfter: learned.right,
    unknownBefore: before.knowsNot,
    unknownAfter: learned.knowsNot,
    perplexity: Math.exp(reference.prose - after.prose),
    seconds,
    promoted: Number(job.state === 'promoted'),
    shuffledRefused: Number(shuffled.job.state !== 'promoted'),
    ruinedRefused: Number(ruined.job.state !== 'promoted'),
  }
}
