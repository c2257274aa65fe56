import type { Reply, ReplyEvent } from '../../../src/ports/channel.ts'
import { type Bench, channelOn, fastClock, openBench } from '../../fakes/teams/bench.ts'
import type { OpenHost } from '../../fakes/teams/host.ts'

const chats = 20
const words = 40
const everyMs = 400

/** What became of twenty replies that streamed at once. */
export interface Twenty {
  /** What Teams refused, in its words. */
  readonly faults: readonly string[]
  /** Replies that are not one whole message. */
  readonly broken: readonly string[]
  /** Calls of each chat. */
  readonly calls: readonly number[]
  /** In Teams's time. */
  readonly seconds: number
}

/** Twenty personal chats in which replies stream at once, on a clock that runs five times faster. */
export async function twenty(open: OpenHost): Promise<Twenty> {
  await using bench = await openBench(open, { clock: fastClock(5) })
  const channel = channelOn(bench)
  const started = bench.clock.now()
  const tell = async (n: number): Promise<string[]> => {
    const chat = bench.chat({ conversation: `a:${n}` })
    const person = { id: chat.personId, name: 'Anna' }
    const event = { kind: 'message' as const, text: 'Hi', person, scopes: [], at: new Date() }
    const place = { id: `e${n}`, channel: 'teams', tenant: 't', thread: chat.thread }
    await channel.deliver({ ...event, ...place }, reply(n, bench))
    const [shown, ...more] = chat.shown()
    const isWhole = more.length === 0 && String(shown?.activity.text).endsWith(`word${words - 1} end.`)
    return isWhole ? [] : [chat.conversation]
  }
  const broken = await Promise.all(Array.from({ length: chats }, (_, n) => tell(n)))
  const seconds = (bench.clock.now() - started) / 1000
  const { calls } = bench.connector
  const ofChat = (n: number) => calls.filter(({ conversation }) => conversation === `a:${n}`).length
  return {
    faults: calls.flatMap(({ fault }) => fault ?? []),
    broken: broken.flat(),
    calls: Array.from({ length: chats }, (_, n) => ofChat(n)),
    seconds,
  }
}

async function* reply(n: number, { clock }: Bench): AsyncGenerator<ReplyEvent> {
  let text = ''
  for (let word = 0; word < words; word++) {
    await clock.wait(everyMs)
    const more = `word${word} `
    text += more
    yield { kind: 'delta', text: more }
  }
  const made: Reply = { turn: `b_${n}`, text: `${text}end.`, sources: [], version: 'v0' }
  yield { kind: 'done', reply: made }
}
