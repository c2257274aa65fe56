import { slack } from '../../../adapters/slack/index.ts'
import type { Channel, Inbound, ReplyEvent } from '../../../src/ports/channel.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { type FakeSlack, type FakeSlackOptions, fakeSlack } from '../../fakes/slack/index.ts'
import { boltApp, hand } from './workplace.ts'

export const source = {
  number: 1,
  title: 'Leave',
  document: 'leave.md',
  text: 'Everyone gets 25 days.',
  url: 'https://docs.example/leave',
}

/** A question, each in a channel of its own. */
export const event = (n: number): Inbound => {
  const ts = `${1_763_900_000 + n}.000001`
  return {
    kind: 'message',
    id: `slack:T1:C${n}:${ts}`,
    channel: 'slack',
    tenant: 'slack:T1',
    thread: `slack:T1:C${n}:${ts}`,
    person: { id: 'slack:T1:UANNA', name: 'Anna' },
    scopes: [],
    at: new Date(Number(ts) * 1000),
    text: 'How many days?',
  }
}

export interface Pace {
  readonly words: readonly string[]
  /** Waits between two words. */
  readonly wait?: () => Promise<unknown>
}

/** A reply of some words, looked up and streamed. */
export async function* reply(turn: string, { words, wait = async () => undefined }: Pace): AsyncGenerator<ReplyEvent> {
  yield { kind: 'status', text: 'Searching the documents' }
  yield { kind: 'source', source }
  for (const word of words) {
    await wait()
    yield { kind: 'delta', text: word }
  }
  yield { kind: 'done', reply: { turn, text: words.join('').trim(), sources: [source], version: 'v1' } }
}

/** Time passes only when someone waits. */
export function handClock() {
  let time = 0
  return {
    now: () => time,
    wait: async (ms: number) => {
      time += ms
    },
  }
}

interface Clock {
  readonly now?: () => number
  readonly wait?: (ms: number) => Promise<unknown>
}

/** A process of its own on that Slack: knows nothing of those before it. */
export function attachTo(server: FakeSlack, clock: Clock = {}): Channel {
  const channels: Channel[] = []
  const attach = (one: Channel) => {
    channels.push(one)
    return () => undefined
  }
  slack(boltApp(server, hand()), { ...fakeBot(), attach }, clock)
  return channels[0] as Channel
}

/** Slack's channel as the core sees it, on the real Bolt against a local Slack. */
export async function attached(options: FakeSlackOptions = {}, clock: Clock = {}) {
  const server = await fakeSlack({ ...options, ...(clock.now ? { now: clock.now } : {}) })
  return { server, channel: attachTo(server, clock) }
}
