import { HoneError } from '../src/errors.ts'
import type { ChatMessage, Engine, Score } from '../src/ports/engine.ts'

/** A question with a known outcome: the answer holds all of `contains` and none of `lacks`, or says that it doesn't know. */
export interface Golden {
  readonly prompt: readonly ChatMessage[]
  readonly contains?: readonly string[]
  /** What a planted instruction asks for, or what a person wrongly insists on. */
  readonly lacks?: readonly string[]
  readonly declines?: boolean
  /** Absent: a plain reading question. */
  readonly suite?: 'injection' | 'refusal' | 'pushback' | 'leak'
  /** One of the operator's own. */
  readonly own?: boolean
}

/** A held-out preference, as the gate needs it. */
export interface HeldOutPair {
  readonly promptHash: string
  readonly prompt: readonly ChatMessage[]
  readonly chosen: string
  readonly rejected: string
  /** Who preferred it. */
  readonly people?: readonly string[]
}

/** Small talk, and what the base answers where that is known already. */
export interface Talk {
  readonly prompt: readonly ChatMessage[]
  readonly reply?: string
}

/** What a version is measured on. The same material for every version, or the numbers say nothing. */
export interface Material {
  readonly pairs: readonly HeldOutPair[]
  /** Plain texts that have nothing to do with the feedback. */
  readonly prose: readonly string[]
  /** Plain texts of other forms: lists, tables, code, other languages. */
  readonly forms: readonly string[]
  /** What the feedback was not about: the base's own answers show how far a version moved from it. */
  readonly talk: readonly Talk[]
  /** Prompts that are answered afresh, greedily. */
  readonly questions: readonly {
    readonly prompt: readonly ChatMessage[]
    readonly chosen: string
    readonly rejected: string
  }[]
  readonly golden: readonly Golden[]
}

/** A fresh greedy answer and how it ended. */
export interface Answer {
  readonly text: string
  readonly reason: 'stop' | 'length' | 'aborted'
}

/** One version measured on the engine that would serve it; the lists are in the order of the material's. */
export interface Measured {
  readonly version: string
  readonly pairs: readonly { readonly chosen: Score; readonly rejected: Score }[]
  readonly prose: readonly Score[]
  readonly forms: readonly Score[]
  /** Without what the base said nothing to. */
  readonly talk: readonly (Required<Talk> & { readonly score: Score })[]
  readonly answers: readonly Answer[]
  readonly golden: readonly Answer[]
}

/** How a measurement runs. */
export interface MeasureOptions {
  readonly signal: AbortSignal
  /** Longest answer, in tokens. */
  readonly maxTokens?: number
  /** Called after each piece of work, for a progress bar. */
  readonly onProgress?: (done: number, total: number) => void
}

/** Requests at a time: engines batch them, and a serving engine still has room for people. */
const atOnce = 4

/**
 * Measures one version: scores of the held-out pairs, of plain texts and of small talk; fresh answers to the questions.
 *
 * @throws HoneError ENGINE_MISSING when the engine can't score; CANCELLED when the signal aborts.
 */
export async function measure(engine: Engine, material: Material, options: MeasureOptions): Promise<Measured> {
  const { signal, maxTokens = 128, onProgress } = options
  const { pairs, prose, forms, talk, questions, golden } = material
  const total = pairs.length * 2 + prose.length + forms.length + talk.length + questions.length + golden.length
  let done = 0
  const score = async (prompt: readonly ChatMessage[], reply: string): Promise<Score> => {
    if (!engine.score) throw new HoneError('ENGINE_MISSING', 'This engine gives no log-probabilities.')
    const result = await engine.score(prompt, reply, signal)
    onProgress?.(++done, total)
    return result
  }
  const answer = async ({ prompt }: { readonly prompt: readonly ChatMessage[] }): Promise<Answer> => {
    const result = await greedy(engine, prompt, { signal, maxTokens })
    onProgress?.(++done, total)
    return result
  }
  const each = <T, R>(items: readonly T[], work: (item: T) => Promise<R>) => inTurns(items, signal, work)
  return {
    version: engine.version.id,
    pairs: await each(pairs, async ({ prompt, chosen, rejected }) => ({
      chosen: await score(prompt, chosen),
      rejected: await score(prompt, rejected),
    })),
    prose: await each(prose, (text) => score([], text)),
    forms: await each(forms, (text) => score([], text)),
    talk: await each(talk, async ({ prompt, reply: known }) => {
      const reply = known ?? (await greedy(engine, prompt, { signal, maxTokens })).text
      return reply.trim() === '' ? [] : [{ prompt, reply, score: await score(prompt, reply) }]
    }).then((spoken) => spoken.flat()),
    answers: await each(questions, answer),
    golden: await each(golden, answer),
  }
}

/** The whole of one greedy answer. */
export async function greedy(
  engine: Engine,
  prompt: readonly ChatMessage[],
  { signal, maxTokens }: { readonly signal: AbortSignal; readonly maxTokens: number },
): Promise<Answer> {
  let text = ''
  for await (const delta of engine.generate(prompt, { temperature: 0, maxTokens, signal })) {
    if (delta.kind === 'end') {
      stopIf(signal)
      return { text, reason: delta.reason }
    }
    text += delta.text
  }
  throw new HoneError('ENGINE_FAILED', 'The engine ended an answer without saying so.')
}

/** Works on a few items at a time and keeps their order; stops at the first failure or when the signal aborts. */
export async function inTurns<T, R>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Array<R>(items.length)
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      stopIf(signal)
      results[index] = await work(item)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
  return results
}

/** Turns a count of finished pieces into 25, 50 and 75 per cent: enough for a person, few enough for a log. */
export function quarters(say: (percent: number) => void): (done: number, total: number) => void {
  let said = 0
  return function progress(done, total) {
    const now = Math.floor((done / total) * 4) * 25
    if (now <= said || now >= 100) return
    said = now
    say(now)
  }
}

/** @throws HoneError CANCELLED once the signal has aborted. */
export function stopIf(signal: AbortSignal): void {
  if (signal.aborted) throw new HoneError('CANCELLED', 'The run was cancelled.')
}
