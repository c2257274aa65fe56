import { commandList } from '../../src/commands.ts'
import { newId } from '../../src/id.ts'
import type { Bot, FeedbackEvent } from '../../src/ports/bot.ts'
import type { Channel, Inbound, Reply, ReplyEvent, Source } from '../../src/ports/channel.ts'
import type { Learning } from '../../src/ports/learning.ts'
import type { Replays } from '../../src/ports/replay.ts'
import type { BotTurn, Explanation, NewBotTurn, Store, UserTurn } from '../../src/ports/store.ts'
import { memoryStore } from './memory-store.ts'

/** What the fake says. An item that is a promise is waited for: that is how a test holds a reply midway. */
export interface Script {
  readonly chunks: readonly (string | Promise<unknown>)[]
  readonly sources?: readonly Source[]
  readonly version?: string
  /** The other side of a duel. */
  readonly against?: { readonly text: string; readonly version: string }
  readonly error?: string
  /** Why the answer is so, and who sees that. */
  readonly explanation?: Pick<Explanation, 'text' | 'show'>
}

export interface FakeBotOptions {
  /** `nth` counts the replies to one message: 1 first, 2 for the first retry. */
  readonly script?: (text: string, nth: number) => Script
  readonly store?: Store
  readonly learning?: Learning
  readonly replays?: Replays
}

export interface FakeBot extends Bot {
  readonly received: readonly Inbound[]
  readonly said: readonly FeedbackEvent[]
  readonly stopped: readonly string[]
  /** Why replies could not be shown. */
  readonly undelivered: readonly unknown[]
  /** Resolves when every reply that was begun has been delivered. */
  idle(): Promise<void>
  /** Says something in a thread that is no reply. */
  notify(thread: string, text: string): Promise<void>
}

const echo = (text: string): Script => ({ chunks: [`You said: ${text}`] })

/** A bot with scripted replies, one at a time per bot, kept in memory. */
export function fakeBot(options: FakeBotOptions = {}): FakeBot {
  const store = options.store ?? memoryStore()
  const channels = new Set<Channel>()
  const received: Inbound[] = []
  const said: FeedbackEvent[] = []
  const stopped: string[] = []
  const undelivered: unknown[] = []
  const duels = new Map<string, { left: string; right: string }>()
  const stops = new Map<string, PromiseWithResolvers<void>>()
  let queue: Promise<void> = Promise.resolve()

  const context = { store, script: options.script ?? echo, duels, stops }
  const answer = async (event: Inbound) => {
    const channel = [...channels].find((one) => one.name === event.channel)
    const events = respond(context, event)
    const refs = await channel?.deliver(event, events).catch((error: unknown) => void undelivered.push(error))
    if (!refs) return
    const turn = (await store.turns.history(event.thread, 100)).at(-1)
    if (turn) await store.messages.link(turn.id, refs)
  }
  return {
    store,
    commands: commandList,
    received,
    said,
    stopped,
    undelivered,
    ...(options.learning ? { learning: options.learning } : {}),
    ...(options.replays ? { replays: options.replays } : {}),
    attach(channel) {
      channels.add(channel)
      return () => channels.delete(channel)
    },
    async receive(event) {
      received.push(event)
      if (!(await store.inbox.claim(event))) return 'duplicate'
      stops.set(event.id, Promise.withResolvers())
      queue = queue.then(() => answer(event))
      return 'accepted'
    },
    async feedback(event) {
      said.push(event)
      await keep(store, event, duels)
    },
    command: async (request) => ({ ok: true, text: `Command: **${request.text}**`, data: { text: request.text } }),
    ask: (text) => respond(context, message(text)),
    stop(id) {
      stopped.push(id)
      stops.get(id)?.resolve()
    },
    async why(id) {
      const turn = (await store.turns.get(id)) as BotTurn
      const { votes } = await store.feedback.ofTurn(id)
      const pairs = [{ origin: 'votes', chosen: 't_a', rejected: 't_b', people: ['web:anna'] }] as const
      return { turn, promptText: '<|system|>You are Hone.', votes, pairs: turn.version === 'v0' ? [] : pairs }
    },
    on: () => () => {},
    tell: async () => false,
    idle: () => queue,
    async notify(thread, text) {
      for (const channel of channels) await channel.notice?.(thread, text)
    },
    async [Symbol.asyncDispose]() {},
  }
}

interface Context {
  readonly store: Store
  readonly script: (text: string, nth: number) => Script
  readonly duels: Map<string, { left: string; right: string }>
  readonly stops: Map<string, PromiseWithResolvers<void>>
}

async function* respond(context: Context, event: Inbound): AsyncGenerator<ReplyEvent> {
  const { store, stops } = context
  const { parent, text, nth, turn } = await asked(context, event)
  const script = context.script(text, nth)
  const stop = stops.get(event.id)?.promise.then(() => 'stop' as const)
  yield { kind: 'status', text: 'Searching the handbook …' }
  for (const source of script.sources ?? []) yield { kind: 'source', source }
  let said = ''
  for (const chunk of script.chunks) {
    if (typeof chunk === 'string') {
      said += chunk
      yield { kind: 'delta', text: chunk }
    } else if ((await Promise.race([chunk, ...(stop ? [stop] : [])])) === 'stop') break
  }
  if (script.error) return yield { kind: 'error', code: 'ENGINE_FAILED', message: script.error }
  const why = script.explanation
  const folded = why?.show === 'folded' ? { explanation: why.text } : {}
  const first = { ...reply(said, script, script.version ?? 'v0'), ...folded }
  const second = script.against && reply(script.against.text, script, script.against.version)
  const duel = second ? `${first.turn}.${second.turn}` : undefined
  const replies = second ? [first, second] : [first]
  await store.turns.appendBot(
    replies.map((one) => ({
      ...turnOf(one, event, parent, duel),
      ...(why ? { explanation: { ...why, style: 'facts', said: `${one.text}\n<why>\n${why.text}` } } : {}),
    })),
    event.id,
    turn,
  )
  if (!second || !duel) return yield { kind: 'done', reply: first }
  context.duels.set(duel, { left: first.turn, right: second.turn })
  yield { kind: 'duel', duel, left: first, right: second }
}

async function asked({ store }: Context, event: Inbound) {
  if (event.kind === 'retry') {
    const old = await store.turns.get(event.turn)
    const question = await store.turns.get(old?.parent ?? '')
    return { parent: question?.id ?? '', text: question?.text ?? '', nth: 2 }
  }
  const parent = (await store.turns.history(event.thread, 1)).at(-1)?.id ?? null
  const { id, tenant, channel, thread, text, at } = event
  const base = { tenant, channel, thread, text, at, parent, role: 'user' as const }
  // Kept with the reply, as the core does.
  const turn: UserTurn = { ...base, id: newId('u'), person: event.person.id, event: id }
  return { parent: turn.id, text, nth: 1, turn }
}

function reply(text: string, script: Script, version: string): Reply {
  return { turn: newId('b'), text, sources: script.sources ?? [], version }
}

function turnOf(one: Reply, event: Inbound, parent: string, duel: string | undefined): NewBotTurn {
  return {
    id: one.turn,
    parent,
    tenant: event.tenant,
    channel: event.channel,
    thread: event.thread,
    text: one.text,
    at: new Date(),
    role: 'assistant',
    version: one.version,
    profile: 'staff@1',
    prompt: [{ role: 'user', content: 'prompt' }],
    sources: one.sources,
    usage: { prompt: 100, evaluated: 20, completion: 10 },
    ...(duel ? { duel } : {}),
  }
}

async function keep(store: Store, event: FeedbackEvent, duels: Context['duels']): Promise<void> {
  const person = event.person.id
  const at = new Date()
  switch (event.kind) {
    case 'vote': {
      const { turn, verdict, reason } = event
      return store.feedback.vote({ turn, person, verdict, at, ...(reason ? { reason } : {}) })
    }
    case 'correction':
      return store.feedback.correct({ id: newId('c'), turn: event.turn, person, text: event.text, at })
    case 'duel': {
      const sides = duels.get(event.duel)
      if (sides) await store.feedback.duel({ id: event.duel, ...sides, person, outcome: event.outcome, at })
    }
  }
}

function message(text: string): Inbound {
  const person = { id: 'terminal:you', name: 'You' }
  const base = { id: newId('e'), channel: 'terminal', tenant: 'terminal', thread: newId('terminal:main:t') }
  return { kind: 'message', text, person, scopes: [], at: new Date(), ...base }
}
