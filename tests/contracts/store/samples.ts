import type { HoneError } from '../../../src/errors.ts'
import type { InboundMessage } from '../../../src/ports/channel.ts'
import type { BotTurn, Job, Judged, NewBotTurn, Store, UserTurn } from '../../../src/ports/store.ts'

/** 12:00 UTC; minutes are added to it. */
const noon = Date.UTC(2026, 4, 1, 12)
/** Noon of 1 May 2026, and minutes after it. */
export const at = (minute = 0) => new Date(noon + minute * 60_000)

/** A person's turn for tests; the id is also its event's. */
export function userTurn(id: string, change: Partial<UserTurn> = {}): UserTurn {
  const base = { parent: null, tenant: 'web', channel: 'web', thread: 'web:t', role: 'user', at: at() } as const
  return { ...base, id, text: `Question ${id}`, person: 'web:anna', event: `event:${id}`, ...change }
}

/** A reply for tests; replies to one parent have the same prompt. */
export function botTurn(id: string, parent: string | null, change: Partial<NewBotTurn> = {}): NewBotTurn {
  const base = { tenant: 'web', channel: 'web', thread: 'web:t', role: 'assistant', at: at(1) } as const
  const prompt = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: `Question ${parent}` },
  ] as const
  const made = {
    version: 'v0',
    profile: 'p1',
    sources: [],
    variables: { plan: 'team' },
    output: { values: { escalate: true, words: ['a', 'b'] } },
    tools: [{ name: 'ticket', arguments: { title: 'Broken' }, state: 'done', result: 'T-1', ms: 3 }],
    explanation: { style: 'steps', show: 'folded', text: 'Because.', said: `Answer ${id}\n<why>\nBecause.` },
    usage: { prompt: 9, evaluated: 4, completion: 2 },
  } as const
  return { ...base, ...made, id, parent, text: `Answer ${id}`, prompt, ...change }
}

/** An inbound message for tests. */
export function inbound(id: string, change: Partial<InboundMessage> = {}): InboundMessage {
  const base = { kind: 'message', channel: 'web', tenant: 'web', thread: 'web:t', scopes: ['staff'], at: at() } as const
  return { ...base, id, person: { id: 'web:anna', name: 'Anna' }, text: `Text of ${id}`, ...change }
}

/** A running job for tests. */
export function runningJob(id: string): Job {
  return { id, kind: 'train', state: 'running', by: 'web:anna', startedAt: at(), detail: { plan: { pairs: 3 } } }
}

/** Every judged prompt of a store. */
export async function judgedOf(store: Store, tenant?: string): Promise<readonly Judged[]> {
  return Array.fromAsync(store.feedback.judged(tenant === undefined ? {} : { tenant }))
}

/** Checks the code of a rejection. */
export const code = (expected: HoneError['code']) => (error: HoneError) => error.code === expected

/** A question and its reply, with the ids `q` and `a`. */
export async function dialogue(store: Store): Promise<BotTurn> {
  await store.turns.appendUser(userTurn('q'))
  const [reply] = await store.turns.appendBot([botTurn('a', 'q')], 'event:q')
  return reply as BotTurn
}
