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
  /** Keeps the answer only if it says "I don't know", for the passages belong to another question: this is its answer. */
  readonly elsewhere?: string
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
  const mixed = unanswerable(selection.train, Math.ceil(count / 2), seed)
  const tasks: Task[] = [...mixed]
  for (let round = 0; tasks.length < count + mixed.length; round++) {
    const temperature = round === 0 ? 0 : 0.8
    tasks.push(...shuffled(talk, seed + round).map((prompt) => ({ prompt, temperature })))
  }
  return tasks.slice(0, count + mixed.length)
}

/**
 * Questions of some prompts put to the passages of others: of one, or of three as if retrieval had found all of them. None
 * of a question's own passages is among them. Before every other pair of them stands what was highlighted in those passages
 * for their own question, as a sentence that is near may answer another question.
 */
function unanswerable(pairs: readonly Pair[], count: number, seed: number): readonly Task[] {
  const prompts = [...new Map(pairs.map((pair) => [pair.promptHash, pair])).values()]
  const order = shuffled(prompts, seed).filter(({ prompt }) => passagesOf(prompt).size > 0)
  const most = Math.max(3, ...order.map(({ prompt }) => passagesOf(prompt).size))
  const nth = (n: number) => order[n % order.length]
  const tasks: Task[] = []
  for (let apart = 1; apart < order.length && tasks.length < count; apart++) {
    for (const [i, pair] of order.entries()) {
      const asked = nth(i + apart)
      const among = i % 2 === 0 ? [] : [nth(i + apart + 1), nth(i + apart + 2)]
      const passages = [pair, ...among].flatMap((one) => (one ? [...passagesOf(one.prompt).values()] : []))
      const shown = [...new Set(passages)].slice(0, most)
      if (!asked || [...passagesOf(asked.prompt).values()].some((own) => shown.includes(own))) continue
      const numbered = shown.map((text, n) => `[${n + 1}] ${text}`)
      const misled = i % 4 < 2 ? highlightsAmong(shown, pair.prompt) : []
      const content = [...numbered, ...misled, lastMessage(asked.prompt).question].join('\n\n')
      const prompt: readonly ChatMessage[] = [...pair.prompt.slice(0, -1), { role: 'user', content }]
      tasks.push({ prompt, temperature: 0, elsewhere: asked.chosen })
    }
  }
  return tasks.slice(0, count)
}

/** The passages of a prompt's last message by their numbers. */
function passagesOf(prompt: readonly ChatMessage[]): ReadonlyMap<string, string> {
  const blocks = lastMessage(prompt).passages.split(/\n\n(?=\[\d+\] )/)
  return new Map(
    blocks.filter(Boolean).map((block) => {
      const end = block.indexOf('] ')
      return [block.slice(1, end), block.slice(end + 2)]
    }),
  )
}

/** The highlights of a prompt, with the numbers that their passages have in `shown`. */
function highlightsAmong(shown: readonly string[], prompt: readonly ChatMessage[]): readonly string[] {
  const own = passagesOf(prompt)
  const [heading, ...lines] = lastMessage(prompt).highlights.split('\n')
  const moved = lines.flatMap((line) => {
    const [, sentence = '', n = ''] = /^(.*) \[(\d+)\]$/.exec(line) ?? []
    const at = shown.indexOf(own.get(n) ?? '')
    return at < 0 ? [] : [`${sentence} [${at + 1}]`]
  })
  return moved.length === 0 ? [] : [[heading, ...moved].join('\n')]
}

async function answerOf(
  engine: Engine,
  { prompt, temperature, elsewhere }: Task,
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
  if (elsewhere === undefined) return { prompt, completion }
  if (!declines(completion)) return undefined
  return declines(elsewhere) ? { prompt, completion } : { prompt, completion, rejected: elsewhere }
}
