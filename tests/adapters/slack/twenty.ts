import { ownTime } from '../../fakes/clock.ts'
import { visible } from '../../fakes/slack/workspace.ts'
import { attached, event, reply } from './delivering.ts'

/** Slack's minutes pass so many times faster, for its limits and for the bot alike. */
const speed = 20
const replies = 20

export interface Twenty {
  /** Calls that were answered with 429. */
  readonly limited: readonly string[]
  /** Numbers of the replies that did not arrive whole, with thumbs once. */
  readonly broken: readonly number[]
  readonly messages: number
  /** Replies that ended as a stream; the others were edited. */
  readonly streamed: number
  readonly calls: number
}

/** Twenty replies at once in one workspace whose Slack counts every call. */
export async function twenty(): Promise<Twenty> {
  const clock = ownTime(speed)
  const { server, channel } = await attached({}, clock)
  await using _ = server
  const words = Array.from({ length: 120 }, (_, i) => `word${i} `)
  const ids = Array.from({ length: replies }, (_, i) => i + 1)
  await Promise.all(ids.map((n) => channel.deliver(event(n), reply(`b_${n}`, { words, wait: () => clock.wait(250) }))))
  const whole = (n: number) => {
    const { thread } = event(n)
    const own = server.space.messages.filter((one) => one.thread === thread.split(':').at(-1)).map(visible)
    const thumbs = own.filter((text) => text.includes(`hone:up:b_${n}"`))
    return (
      thumbs.length === 1 && words.every((word) => own.some((text) => new RegExp(`\\b${word.trim()}\\b`).test(text)))
    )
  }
  return {
    limited: server.limited,
    broken: ids.filter((n) => !whole(n)),
    messages: server.space.messages.length,
    streamed: server.space.messages.filter((one) => one.streamed && visible(one).includes('hone:up:')).length,
    calls: server.calls.length,
  }
}
