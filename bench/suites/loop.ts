import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder } from '../../knowledge/index.ts'
import { packageRoot } from '../../src/cli/model.ts'
import type { ChatMessage, Engine } from '../../src/ports/engine.ts'
import { everyTenant } from '../../src/ports/knowledge.ts'
import type { GateReport, TrainOptions } from '../../src/ports/learning.ts'
import type { Job } from '../../src/ports/store.ts'
import { handbooks, isRight, type Lab, openLab, type Question, saysUnknown } from '../lab.ts'
import { judge, type Rule, rules, sourceOf, type Tally } from '../rater.ts'
import { atLeast, atMost, figure, median, type Result, seeded } from '../result.ts'

const judgedPrompts = 60
const seeds = [1, 2, 3]

/** A held-out question as the base was asked it: what the rule prefers, and what the base said. */
interface HeldOut {
  readonly question: Question
  readonly prompt: readonly ChatMessage[]
  readonly chosen: string
  readonly rejected: string
}
interface Behaviour {
  readonly follows: number
  readonly right: number
  readonly knowsNot: number
}
interface Trained {
  readonly job: Job
  readonly gate: GateReport | undefined
  readonly seconds: number
}

/**
 * The whole loop: a rater with a taste that the model doesn't know judges 60 prompts, one training run follows, and
 * questions on another handbook tell what was learned. Repeated with shuffled votes and with a learning rate that
 * ruins the model: both must be refused. The median over the seeds is what counts.
 */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const rule of rules) {
    const runs: Record<string, number>[] = []
    for (const seed of seeds) runs.push(await oneSeed(rule, seed, (text) => say(`${rule.name}, seed ${seed}: ${text}`)))
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
  await using lab = await openLab([], { HONE_DUEL_RATE: '0.2' })
  const random = seeded(seed)
  await judgeAll(judgedBooks, rule, lab, { random, say })

  await showOnly(unseen.folder, lab)
  const single = unseen.questions.filter(({ turns }) => !turns?.length)
  const before = await behaviour(single, rule, lab)
  say(`before: ${JSON.stringify(before)}`)
  const heldOut = await heldOutPairs(single, rule, lab)
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

interface Judging {
  readonly random: () => number
  readonly say: (text: string) => void
}

/** Sixty prompts, from one handbook after the other. */
async function judgeAll(
  books: Awaited<ReturnType<typeof handbooks>>,
  rule: Rule,
  lab: Lab,
  { random, say }: Judging,
): Promise<void> {
  const sum: Tally = { up: 0, down: 0, retries: 0, duels: 0, corrections: 0 }
  let left = judgedPrompts
  for (const { folder, questions } of books) {
    await showOnly(folder, lab)
    const single = questions.filter(({ turns }) => !turns?.length)
    for (const question of single.toSorted(() => random() - 0.5).slice(0, Math.ceil(judgedPrompts / books.length))) {
      if (left-- <= 0) break
      const tally = await judge(question, rule, lab, random)
      for (const key of Object.keys(sum) as (keyof Tally)[]) sum[key] += tally[key]
    }
  }
  say(`judged: ${JSON.stringify(sum)}`)
}

/** Makes one handbook the only one that is known. */
async function showOnly(folder: string, lab: Lab): Promise<void> {
  const knowledge = await lab.parts.knowledge()
  const old = await knowledge.documents(everyTenant)
  await knowledge.remove(
    everyTenant,
    old.map(({ id }) => id),
  )
  await syncFolder(knowledge, folder, { tenant: everyTenant, scope: 'public' })
}

/** Fresh replies, sampled as people get them. */
async function behaviour(questions: readonly Question[], rule: Rule, lab: Lab): Promise<Behaviour> {
  const texts: (readonly [Question, string])[] = []
  for (const question of questions) {
    const outcome = await lab.ask(question.question)
    texts.push([question, outcome.replies[0]?.text ?? ''])
  }
  const known = texts.filter(([{ answer }, text]) => answer !== null && !saysUnknown(text))
  const answerable = texts.filter(([{ answer }]) => answer !== null)
  return {
    follows: share(known, ([, text]) => rule.follows(text)),
    right: share(answerable, ([question, text]) => isRight(question, text)),
    knowsNot: share(
      texts.filter(([{ answer }]) => answer === null),
      ([, text]) => saysUnknown(text),
    ),
  }
}

/** For questions that nobody judged: the rule's answer against what the base said by itself. */
async function heldOutPairs(questions: readonly Question[], rule: Rule, lab: Lab): Promise<readonly HeldOut[]> {
  const pairs: HeldOut[] = []
  for (const question of questions.filter(({ answer }) => answer !== null)) {
    const [reply] = (await lab.ask(question.question)).replies
    const turn = reply && (await lab.bot.store.turns.get(reply.turn))
    if (turn?.role !== 'assistant' || rule.follows(reply?.text ?? '')) continue
    const source = await sourceOf(question, turn.id, lab)
    if (!source) continue
    const prompt = await lab.bot.store.turns.prompt(turn.prompt)
    pairs.push({ question, prompt, chosen: rule.write(question.answer ?? '', source), rejected: turn.text })
  }
  return pairs
}

async function scores(engine: Engine, pairs: readonly HeldOut[], prose: readonly string[]) {
  const score = engine.score?.bind(engine)
  if (!score) throw new Error('This engine gives no scores.')
  const margins: number[] = []
  for (const { prompt, chosen, rejected } of pairs) {
    margins.push((await score(prompt, chosen)).logProbability - (await score(prompt, rejected)).logProbability)
  }
  let sum = 0
  let tokens = 0
  for (const text of prose) {
    const scored = await score([], text)
    sum += scored.logProbability
    tokens += scored.tokens
  }
  return { margins, prose: sum / tokens }
}

/** One training run, as *Retrain* starts it; ends with what it came to. */
async function train(lab: Lab, options: TrainOptions): Promise<Trained> {
  const learning = await lab.parts.learning()
  const started = performance.now()
  const { id } = await learning.start('web:rater', options)
  let gate: GateReport | undefined
  for await (const event of learning.watch()) if (event.kind === 'gate') gate = event.report
  const job = await lab.bot.store.jobs.get(id)
  if (!job) throw new Error(`The job ${id} is gone.`)
  return { job, gate, seconds: (performance.now() - started) / 1000 }
}

/** Text that has nothing to do with the rule, other than the gate's own. */
async function proseSuite(): Promise<readonly string[]> {
  const text = await readFile(join(packageRoot, 'bench', 'fixtures', 'prose.txt'), 'utf8')
  return text.trim().split(/\n\n+/)
}

function share<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.length === 0 ? Number.NaN : items.filter(holds).length / items.length
}
