import { syncFolder } from '../knowledge/index.ts'
import { everyTenant } from '../src/ports/knowledge.ts'
import type { GateReport, TrainOptions } from '../src/ports/learning.ts'
import type { Job } from '../src/ports/store.ts'
import { type handbooks, isRight, type Lab, type Question, saysUnknown } from './lab.ts'
import { judge, type Rule, type Tally, type Voter } from './rater.ts'

/** How fresh replies are. */
export interface Behaviour {
  readonly follows: number
  readonly right: number
  readonly knowsNot: number
}
/** What a training run came to. */
export interface Trained {
  readonly job: Job
  readonly gate: GateReport | undefined
  readonly seconds: number
}

/** How many prompts are judged, and by whom: each by one of the voters, in turn. */
export interface Judging {
  readonly prompts: number
  readonly voters: readonly Voter[]
  readonly random: () => number
  readonly say: (text: string) => void
}

/** Prompts from one handbook after the other. */
export async function judgeAll(
  books: Awaited<ReturnType<typeof handbooks>>,
  lab: Lab,
  { prompts, voters, random, say }: Judging,
): Promise<void> {
  const sum: Tally = { up: 0, down: 0, retries: 0, duels: 0, corrections: 0 }
  let judged = 0
  for (const { folder, questions } of books) {
    await showOnly(folder, lab)
    const single = questions.filter(({ turns }) => !turns?.length)
    for (const question of single.toSorted(() => random() - 0.5).slice(0, Math.ceil(prompts / books.length))) {
      const voter = voters[judged % voters.length]
      if (!voter || judged++ >= prompts) break
      const tally = await judge(question, voter, lab, random)
      for (const key of Object.keys(sum) as (keyof Tally)[]) sum[key] += tally[key]
    }
  }
  say(`judged: ${JSON.stringify(sum)}`)
}

/** Makes one handbook the only one that is known. */
export async function showOnly(folder: string, lab: Lab): Promise<void> {
  const knowledge = await lab.parts.knowledge()
  const old = await knowledge.documents(everyTenant)
  await knowledge.remove(
    everyTenant,
    old.map(({ id }) => id),
  )
  await syncFolder(knowledge, folder, { tenant: everyTenant, scope: 'public' })
}

/** Fresh replies, sampled as people get them. */
export async function behaviour(questions: readonly Question[], rule: Rule, lab: Lab): Promise<Behaviour> {
  const texts: (readonly [Question, string])[] = []
  for (const question of questions) {
    const outcome = await lab.ask(question.question)
    texts.push([question, outcome.replies[0]?.text ?? ''])
  }
  return behaviourOf(texts, rule)
}

/** Questions and what was replied, counted. */
export function behaviourOf(texts: readonly (readonly [Question, string])[], rule: Rule): Behaviour {
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

/** One training run, as *Retrain* starts it; ends with what it came to. */
export async function train(lab: Lab, options: TrainOptions): Promise<Trained> {
  const learning = await lab.parts.learning()
  const started = performance.now()
  const { id } = await learning.start('web:rater', options)
  let gate: GateReport | undefined
  for await (const event of learning.watch()) if (event.kind === 'gate') gate = event.report
  const job = await lab.bot.store.jobs.get(id)
  if (!job) throw new Error(`The job ${id} is gone.`)
  return { job, gate, seconds: (performance.now() - started) / 1000 }
}

/** Share of items that hold; NaN of nothing. */
export function share<T>(items: readonly T[], holds: (item: T, index: number) => boolean): number {
  return items.length === 0 ? Number.NaN : items.filter(holds).length / items.length
}
