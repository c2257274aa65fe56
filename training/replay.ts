import type { ChatMessage, Engine, TenantSlot, Version } from '../src/ports/engine.ts'
import type { ReplayRow } from './dataset.ts'
import { shuffled } from './hash.ts'
import { inTurns, stopIf } from './measure.ts'
import type { Pair } from './pairs.ts'
import { secretIn } from './secrets.ts'
import type { Selection } from './select.ts'
import { replaySuite } from './suites/replay.ts'
import { declines, lastMessage } from './text.ts'

/** Never fewer than this, however few pairs there are. */
const least = 32

/** What replay is made from and with. */
export interface ReplayInput {
  readonly slot: TenantSlot
  readonly base: Version
  readonly selection: Selection
  readonly seed: number
  readonly signal: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

interface Task {
  readonly prompt: readonly ChatMessage[]
  /** Greedy in the first round; later rounds vary the answers to the same prompts. */
  readonly temperature: number
  /** Keeps the answer only if it says "I don't know": the passages belong to another question. */
  readonly unanswerable: boolean
}

/** Rows of replay a run of this selection wants: as many as pairs to train on. */
export function replayCount({ train }: Selection): number {
  return Math.max(least, train.length)
}

/**
 * The base model's own answers, at least as many as pairs: to small talk, and to questions of this bot put to passages
 * that don't answer them (kept where the base declines). Answers of the base that people liked as they were go in too.
 */
export async function makeReplay(input: ReplayInput): Promise<readonly ReplayRow[]> {
  const { slot, base, selection, seed, signal, onProgress } = input
  const wanted = replayCount(selection)
  const liked = likedAsWere(selection).slice(0, Math.floor(wanted / 4))
  const tasks = tasksFor(selection, wanted - liked.length, seed)
  let done = 0
  const rows = await slot.borrow(base, (engine) =>
    inTurns([...tasks.entries()], signal, async ([index, task]) => {
      const row = await answerOf(engine, task, { seed: seed + index, signal })
      onProgress?.(++done, tasks.length)
      return row
    }),
  )
  return [...liked, ...rows.filter((row) => row !== undefined)]
}

/** Replies of the bare base with nothing but thumbs up. */
function likedAsWere({ unpaired }: Selection): readonly ReplayRow[] {
  return unpaired
    .filter(({ liked, version }) => liked && version === 'v0')
    .map(({ prompt, text }) => ({ prompt, completion: text }))
}

/** Enough prompts for `count` rows: one round greedy, more rounds sampled, plus spare ones where some are dropped. */
function tasksFor(selection: Selection, count: number, seed: number): readonly Task[] {
  const system = selection.train.at(-1)?.prompt.filter(({ role }) => role === 'system') ?? []
  const pages = [...new Set(selection.train.map(({ prompt }) => lastMessage(prompt).passages))].filter(Boolean)
  const talk = replaySuite.map((said, i): readonly ChatMessage[] => {
    // In service, retrieval finds passages for small talk as well; so every second one has some.
    const passages = i % 2 === 1 && pages[i % pages.length]
    return [...system, { role: 'user', content: passages ? `${passages}\n\n${said}` : said }]
  })
  const mixed = unanswerable(selection.train, seed).slice(0, Math.ceil(count / 3))
  const tasks: Task[] = mixed.map((prompt) => ({ prompt, temperature: 0, unanswerable: true }))
  for (let round = 0; tasks.length < count + mixed.length; round++) {
    const temperature = round === 0 ? 0 : 0.8
    tasks.push(...shuffled(talk, seed + round).map((prompt) => ({ prompt, temperature, unanswerable: false })))
  }
  return tasks.slice(0, count + mixed.length)
}

/** Each prompt's passages with the question of another prompt, whose own passages are different. */
function unanswerable(pairs: readonly Pair[], seed: number): readonly (readonly ChatMessage[])[] {
  const prompts = [...new Map(pairs.map(({ promptHash, prompt }) => [promptHash, prompt])).values()]
  const order = shuffled(prompts, seed)
  return order.flatMap((prompt, i) => {
    const { passages } = lastMessage(prompt)
    const other = lastMessage(order[(i + 1) % order.length] ?? prompt)
    const usable = passages !== '' && other.passages !== '' && !overlap(passages, other.passages)
    return usable
      ? [[...prompt.slice(0, -1), { role: 'user' as const, content: `${passages}\n\n${other.question}` }]]
      : []
  })
}

/** True when two sets of passages share one. */
function overlap(a: string, b: string): boolean {
  const texts = new Set(a.split('\n\n').map((text) => text.replace(/^\[\d+\] /, '')))
  return b.split('\n\n').some((text) => texts.has(text.replace(/^\[\d+\] /, '')))
}

async function answerOf(
  engine: Engine,
  { prompt, temperature, unanswerable: mustDecline }: Task,
  { seed, signal }: { readonly seed: number; readonly signal: AbortSignal },
): Promise<ReplayRow | undefined> {
  let completion = ''
  let whole = false
  for await (const delta of engine.generate(prompt, { temperature, seed, maxTokens: 256, signal })) {
    if (delta.kind === 'text') completion += delta.text
    else whole = delta.reason === 'stop'
  }
  stopIf(signal)
  // An answer that was cut off would teach the model not to end.
  if (!whole || completion.trim() === '' || secretIn(completion)) return undefined
  return mustDecline && !declines(completion) ? undefined : { prompt, completion }
}
