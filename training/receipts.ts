import { commandsOf, receiptOf } from '../src/id.ts'
import type { Logger } from '../src/log.ts'
import type { Bot } from '../src/ports/bot.ts'
import type { ChatMessage, Engine, TenantSlot, Version } from '../src/ports/engine.ts'
import type { PairTrace } from '../src/ports/learning.ts'
import type { BotTurn, Judged, Store } from '../src/ports/store.ts'
import type { Registry } from './registry.ts'
import { nearlyIdentical, wordDistance } from './similar.ts'
import type { Whose } from './tenants.ts'

export interface ReceiptOptions {
  readonly store: Store
  readonly registry: Registry
  /** What serves them. */
  readonly slotOf: (whose: Whose) => Promise<TenantSlot>
  /** The base model: a GGUF's path or a server's model name. */
  readonly base: string
  /** Channels whose feedback may be used. */
  readonly trainOn: readonly string[]
  /** How many people are told after one promotion, at most. */
  readonly most: number
  readonly tell: Bot['tell']
  readonly log: Logger
}

/** Tells people what their votes changed, in the background, one promotion after the other. */
export interface Receipts extends AsyncDisposable {
  promoted(version: string, whose: Whose): void
  /** Resolves when nothing more is to be told. */
  readonly idle: () => Promise<void>
}

/** What a person asked for in place of a reply. */
interface Wish {
  readonly person: string
  readonly old: BotTurn
  readonly better: string
  /** They wrote what is better themselves. */
  readonly corrected: boolean
  readonly judged: Judged
}

/** Wishes of one person that are looked at, and people who are looked at for each who may be told. */
const wishesEach = 3
const peopleEach = 5
const maxTokens = 400
const longestQuote = 600

/**
 * After a promotion, asks the new version what people wanted answered better, and tells each whose wish came true, once
 * for ever, where nobody else sees it. Nothing that goes wrong here touches what serves.
 *
 * @example await using receipts = createReceipts({ …, most: 20, tell: bot.tell }); receipts.promoted('v3', '')
 */
export function createReceipts(options: ReceiptOptions): Receipts {
  const stop = new AbortController()
  let working: Promise<void> = Promise.resolve()
  const give = async (version: string, whose: Whose): Promise<void> => {
    try {
      const told = await tellAll(version, whose, { ...options, signal: stop.signal })
      options.log.info('receipts.told', { version, people: told })
    } catch (error) {
      if (!stop.signal.aborted) options.log.warn('receipts.failed', { version, error })
    }
  }
  return {
    promoted(version, whose) {
      working = working.then(() => give(version, whose))
    },
    idle: () => working,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await working
    },
  }
}

interface Way extends ReceiptOptions {
  readonly signal: AbortSignal
}

async function tellAll(version: string, whose: Whose, way: Way): Promise<number> {
  const { store, registry, slotOf, most, signal } = way
  const wishes = await wishesIn((await registry.get(version)).manifest.pairs, way)
  if (wishes.size === 0) return 0
  const slot = await slotOf(whose)
  // Whether a reply became likelier shows beside the bare base alone: longer ones are always less likely.
  const scores = await slot.use(async ({ score }) => score !== undefined)
  const tellEach = async (base?: Engine): Promise<number> => {
    let told = 0
    for (const [person, asked] of wishes) {
      if (told >= most || signal.aborted || slot.version.id !== version) break
      if (!(await store.wishes.receipts(person))) continue
      const found = await firstCameTrue(asked, { slot, base, signal })
      if (found && (await tellOnce(found, slot.version, way))) told += 1
    }
    return told
  }
  return scores ? slot.borrow({ id: 'v0', base: way.base }, tellEach) : tellEach()
}

/** The newest wishes first, by person. */
async function wishesIn(
  pairs: readonly PairTrace[],
  { store, trainOn, most }: Way,
): Promise<ReadonlyMap<string, readonly Wish[]>> {
  const found = new Map<string, Wish[]>()
  for (const pair of pairs.toReversed()) {
    if (pair.origin === 'import') continue
    for (const wish of await wishesOf(pair, store)) {
      const own = found.get(wish.person) ?? []
      if (!trainOn.includes(wish.judged.channel) || own.length >= wishesEach) continue
      if (found.has(wish.person) || found.size < most * peopleEach) found.set(wish.person, [...own, wish])
    }
  }
  return found
}

/** Those who said, and say still, that the rejected reply should have been the chosen one. */
async function wishesOf({ chosen, rejected, people }: PairTrace, store: Store): Promise<readonly Wish[]> {
  for await (const judged of store.feedback.judged({ turn: rejected })) {
    const old = judged.replies.find(({ turn }) => turn.id === rejected)
    const corrections = judged.replies.flatMap((reply) => reply.corrections)
    const correction = corrections.find(({ id }) => id === chosen)
    const better = correction?.text ?? judged.replies.find(({ turn }) => turn.id === chosen)?.turn.text
    if (!old || better === undefined) return []
    const corrected = old.corrections.some(({ id }) => id === chosen)
    const disliked = old.votes.filter(({ verdict }) => verdict === 'down')
    const lost = judged.duels.filter(({ left, right, outcome }) => {
      const [winner, loser] = outcome === 'left' ? [left, right] : [right, left]
      return (outcome === 'left' || outcome === 'right') && winner === chosen && loser === rejected
    })
    const asked = corrected && correction ? [correction] : [...disliked, ...lost]
    const persons = new Set(asked.map(({ person }) => person).filter((person) => people.includes(person)))
    return [...persons].map((person) => ({ person, old: old.turn, better, corrected, judged }))
  }
  return []
}

interface Engines {
  readonly slot: TenantSlot
  /** The bare base, where engines give scores. */
  readonly base: Engine | undefined
  readonly signal: AbortSignal
}

interface CameTrue extends Wish {
  readonly answer: string
}

async function firstCameTrue(wishes: readonly Wish[], engines: Engines): Promise<CameTrue | undefined> {
  for (const wish of wishes) {
    const { slot, base, signal } = engines
    const found = await slot.use(async (engine) => {
      const answer = await answerOf(engine, wish.judged.prompt, signal)
      return isBetter(answer, wish) && (wish.corrected || !base || (await gained(wish, engine, base)))
        ? answer
        : undefined
    })
    if (found !== undefined && !signal.aborted) return { ...wish, answer: found }
  }
  return undefined
}

async function answerOf(engine: Engine, prompt: readonly ChatMessage[], signal: AbortSignal): Promise<string> {
  let text = ''
  for await (const delta of engine.generate(prompt, { temperature: 0, maxTokens, signal }))
    if (delta.kind === 'text') text += delta.text
  return text.trim()
}

/** It says something else than before, and that is nearer to what the person asked for, word for word. */
function isBetter(answer: string, { old, better, corrected }: Wish): boolean {
  if (answer === '' || nearlyIdentical(answer, old.text)) return false
  const now = wordDistance(answer, better)
  return now < (corrected ? wordDistance(old.text, better) : wordDistance(answer, old.text))
}

/** The reply that they wanted has gained on the other one, beside the bare base. */
async function gained({ judged: { prompt }, old, better }: Wish, engine: Engine, base: Engine): Promise<boolean> {
  const lead = async ({ score }: Engine) =>
    score ? (await score(prompt, better)).logProbability - (await score(prompt, old.text)).logProbability : 0
  return (await lead(engine)) > (await lead(base))
}

/** On disk before it is told: a crash in between costs a receipt, and never gives one twice. */
async function tellOnce(found: CameTrue, version: Version, { store, tell, log }: Way): Promise<boolean> {
  const { person, old, judged, answer } = found
  const { channel, tenant, thread } = judged
  const asked = old.parent === null ? undefined : await store.turns.get(old.parent)
  // They may have been forgotten while the new version was asked.
  if (!asked || !(await store.turns.get(old.id))) return false
  const threads = (await store.turns.threads(tenant, person, 20)).map((one) => one.thread)
  const id = receiptOf(version.id, person)
  const place = { channel: commandsOf(channel), tenant, thread, person: { id: '', name: '' } }
  const claim = { kind: 'message', id, text: '', scopes: [], at: new Date(), ...place } as const
  if (!(await store.inbox.claim(claim))) return false
  const text = receiptText({ question: asked.text, old: old.text, answer, version: version.id })
  const told = await tell({ id: person, name: '' }, text, { channel, threads }).catch((error: unknown) => {
    log.warn('receipt.untold', { channel, error })
    return false
  })
  await store.inbox.settle(id, told ? 'answered' : 'given-up', told ? undefined : 'not told')
  return told
}

/** @example receiptText({ question: 'How long?', old: 'Ten days.', answer: 'Twelve days [1].', version: 'v3' }) */
export function receiptText(said: {
  readonly question: string
  readonly old: string
  readonly answer: string
  readonly version: string
}): string {
  const quote = (text: string) => {
    const short = text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text
    return short.replace(/^/gm, '> ')
  }
  return [
    'Your vote made a difference. You wanted a better answer to:',
    quote(said.question),
    'Before:',
    quote(said.old),
    `Now, from ${said.version}, which learned from you among others:`,
    quote(said.answer),
    '`receipts off` ends these messages.',
  ].join('\n\n')
}
