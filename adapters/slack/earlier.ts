import { z } from 'zod'
import type { Inbound } from '../../src/ports/channel.ts'
import { isBroken, slackCode } from './api.ts'
import { type Place, placeOf } from './place.ts'
import { doneMark, liveMark, partMark } from './render/reply.ts'
import type { Site } from './site.ts'

/** What an earlier process has already shown of a reply. */
export interface Earlier {
  readonly messages: readonly string[]
  /** The reply stands there, whole: there is nothing left to say. */
  readonly whole: boolean
}

export const nothing: Earlier = { messages: [], whole: false }
const block = z.looseObject({
  block_id: z.string().optional(),
  task_id: z.string().optional(),
  title: z.unknown().optional(),
  status: z.string().optional(),
})
const message = z.looseObject({ ts: z.string(), user: z.string().optional(), blocks: z.array(block).optional() })
const thread = z.object({ messages: z.array(message) })
type Message = z.infer<typeof message>

/** Most messages that are looked at; Slack hands out no more at once. */
const mostMessages = 999

/**
 * Looks into the thread for what was posted before a crash, so that nobody is answered twice. Every message of a reply
 * carries its event: in the id of a block, or while it streams in the id of a task card. What carries no mark of this
 * event is never touched, as it may be another reply, or the host's own message.
 *
 * @throws when Slack can't be reached; a thread that Slack does not show counts as empty.
 */
export async function earlier(site: Site, event: Inbound): Promise<Earlier> {
  const place = placeOf(event.thread)
  const { thread: root, channel } = place
  if (!root) return nothing
  try {
    const oldest = String(event.at.getTime() / 1000)
    const answer = await site.api.call('conversations.replies', place, (client) =>
      client.conversations.replies({ channel, ts: root, oldest, limit: mostMessages }),
    )
    const me = await site.self(place.team)
    const found = (thread.safeParse(answer).data?.messages ?? []).filter(({ user }) => user === me)
    const mine = found.filter((one) => marksOf(one).some((mark) => isOf(mark, event.id)))
    if (mine.some((one) => marksOf(one).includes(doneMark(event.id))))
      return { messages: mine.map(({ ts }) => ts), whole: true }
    const [first, ...others] = mine
    if (!first) return nothing
    for (const { ts } of others)
      await site.api.call('chat.delete', place, (client) => client.chat.delete({ channel, ts }))
    await endStream(site, place, first)
    return { messages: [first.ts], whole: false }
  } catch (error) {
    if (isBroken(error)) throw error
    site.log.warn('slack.thread.unread', { event: event.id, error })
    return nothing
  }
}

function marksOf({ blocks = [] }: Message): readonly string[] {
  return blocks.flatMap(({ block_id: id, task_id: task }) => [id ?? [], task ?? []].flat())
}

function isOf(mark: string, event: string): boolean {
  const live = liveMark(event)
  return mark === live || mark.startsWith(`${live}#`) || mark === partMark(event) || mark === doneMark(event)
}

/** Ends the stream that the other process left, with nothing in it still in progress. */
async function endStream(site: Site, place: Place, { ts, blocks = [] }: Message): Promise<void> {
  const chunks = blocks.flatMap(({ task_id: id, title, status }) =>
    id && typeof title === 'string' && status !== 'complete'
      ? [{ type: 'task_update' as const, id, title, status: 'complete' as const }]
      : [],
  )
  const end = { channel: place.channel, ts, ...(chunks.length > 0 ? { chunks } : {}) }
  await site.api
    .call('chat.stopStream', place, (client) => client.chat.stopStream(end))
    .catch((error: unknown) => site.log.debug('slack.stream.over', { code: slackCode(error) }))
}
