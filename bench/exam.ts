import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../src/cli/model.ts'
import type { ChatMessage, Engine } from '../src/ports/engine.ts'
import type { BotTurn } from '../src/ports/store.ts'
import { greedy, inTurns } from '../training/measure.ts'
import { type Behaviour, behaviourOf, share } from './judging.ts'
import type { Lab, Question } from './lab.ts'
import { type Rule, sourceOf } from './rater.ts'

/** A held-out question as the base was asked it: what the rule prefers, and what the base said. */
export interface HeldOut {
  readonly question: Question
  readonly prompt: readonly ChatMessage[]
  readonly chosen: string
  readonly rejected: string
}

/** Log-probability margins of held-out pairs, and the mean of a token of prose. */
export interface Scores {
  readonly margins: readonly number[]
  readonly prose: number
}

/** What versions of one base are asked: prompts as the base got them, so that only the weights differ. */
export interface Exam {
  readonly asked: readonly { readonly question: Question; readonly prompt: readonly ChatMessage[] }[]
  readonly pairs: readonly HeldOut[]
  readonly base: Scores & { readonly behaviour: Behaviour }
}

/** What an exam came to. */
export interface Mark {
  /** Share of held-out preferences whose margin grew above the base's. */
  readonly accuracy: number
  readonly pairs: number
  readonly behaviour: Behaviour
  /** Perplexity of unrelated prose, divided by the base's. */
  readonly perplexity: number
}

/** Asks the base; the lab must serve it, without duels, and know the handbook that the questions are on. */
export async function makeExam(questions: readonly Question[], rule: Rule, lab: Lab): Promise<Exam> {
  const said = await askAll(questions, lab)
  const pairs = await heldOutPairs(said, rule, lab)
  const asked = said.map(({ question, prompt }) => ({ question, prompt }))
  const slot = await lab.parts.slot()
  return slot.use(async (engine) => {
    const base = await scores(engine, pairs, await proseSuite())
    return { asked, pairs, base: { ...base, behaviour: await freshAnswers(engine, asked, rule) } }
  })
}

/** A question as it was put to the model, and the reply. */
interface Said {
  readonly question: Question
  readonly prompt: readonly ChatMessage[]
  readonly turn: BotTurn
}

/** Asks each question in a thread of its own. */
export async function askAll(questions: readonly Question[], lab: Lab): Promise<readonly Said[]> {
  const said: Said[] = []
  for (const question of questions) {
    const [reply] = (await lab.ask(question.question)).replies
    const turn = reply && (await lab.bot.store.turns.get(reply.turn))
    if (turn?.role !== 'assistant') continue
    said.push({ question, turn, prompt: await lab.bot.store.turns.prompt(turn.prompt) })
  }
  return said
}

/** Puts a version through an exam. */
export async function take({ asked, pairs, base }: Exam, rule: Rule, engine: Engine): Promise<Mark> {
  const found = await scores(engine, pairs, await proseSuite())
  return {
    accuracy: share(found.margins, (margin, i) => margin > (base.margins[i] ?? 0)),
    pairs: pairs.length,
    behaviour: await freshAnswers(engine, asked, rule),
    perplexity: Math.exp(base.prose - found.prose),
  }
}

/** Greedy, as the sample profile samples. */
async function freshAnswers(engine: Engine, asked: Exam['asked'], rule: Rule): Promise<Behaviour> {
  const { signal } = new AbortController()
  const texts = await inTurns(asked, signal, async ({ question, prompt }) => {
    const { text } = await greedy(engine, prompt, { signal, maxTokens: 96 })
    return [question, text] as const
  })
  return behaviourOf(texts, rule)
}

/** For questions that nobody judged: the rule's answer against what the base said by itself. */
export async function heldOutPairs(said: readonly Said[], rule: Rule, lab: Lab): Promise<readonly HeldOut[]> {
  const pairs: HeldOut[] = []
  for (const { question, prompt, turn } of said) {
    if (question.answer === null || rule.follows(turn.text)) continue
    const source = await sourceOf(question, turn.id, lab)
    if (!source) continue
    pairs.push({ question, prompt, chosen: rule.write(question.answer, source), rejected: turn.text })
  }
  return pairs
}

/** Of the pairs, and of the prose. */
export async function scores(engine: Engine, pairs: readonly HeldOut[], prose: readonly string[]): Promise<Scores> {
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

/** Text that has nothing to do with the rule, other than the gate's own. */
export async function proseSuite(): Promise<readonly string[]> {
  const text = await readFile(join(packageRoot, 'bench', 'fixtures', 'prose.txt'), 'utf8')
  return text.trim().split(/\n\n+/)
}
