import { healed } from '../shared/split.ts'
import { type Client, type Method, type SlackApi, slackCode } from './api.ts'
import {
  type Block,
  liveMark,
  markdown,
  partMark,
  section,
  sectionParts,
  stopBlocks,
  type Task,
  taskChunk,
  taskLine,
} from './render/reply.ts'
import { summary } from './render/text.ts'
import { closing, cutAt, type Draft, type Final, longestMessage, type Surface, turnOver, type View } from './surface.ts'

const quiet = { unfurl_links: false, unfurl_media: false } as const

/** What a message is to hold. */
interface Written {
  readonly text: string
  readonly blocks: readonly Block[]
  readonly tasks: readonly Task[]
  /** Says whose reply it is, where the blocks don't. */
  readonly mark?: string
}

/** One edit of a message. */
interface Edit {
  readonly ts: string
  readonly tasks: readonly Task[]
  readonly update: (client: Client) => Promise<unknown>
}

/** A message that is posted once and edited as the reply grows: where Slack gives no stream. */
export function editSurface(api: SlackApi, draft: Draft): Surface {
  const { place, event } = draft
  const { channel, thread } = place
  const open = () => draft.messages.length > 0 && !draft.finished

  async function write({ text, blocks, tasks, mark }: Written): Promise<void> {
    const body = { channel, text: summary(text), blocks: [...(text ? [markdown(text, mark)] : []), ...blocks] }
    const ts = draft.messages.at(-1)
    if (open() && ts) {
      const method = mark === liveMark(event) ? 'chat.update live' : 'chat.update'
      return updateMessage(method, { ts, tasks, update: (client) => client.chat.update({ ...body, ts }) })
    }
    const posted = await api.call('chat.postMessage', place, (client) =>
      client.chat.postMessage({ ...body, ...quiet, ...(thread ? { thread_ts: thread } : {}) }),
    )
    if (posted.ts) draft.messages.push(posted.ts)
    draft.finished = false
  }

  /** A message that still streams can't be edited: its stream ends first, and nothing in it is left in progress. */
  async function updateMessage(method: Method, { ts, tasks, update }: Edit): Promise<void> {
    try {
      // Live edits have waited for their turn before.
      await (method === 'chat.update' ? api.call(method, place, update) : api.now(method, place, update))
    } catch (error) {
      if (slackCode(error) !== 'streaming_state_conflict') throw error
      const chunks = tasks.map((task) => taskChunk({ ...task, done: true }, event))
      await api.call('chat.stopStream', place, (client) =>
        client.chat.stopStream({ channel, ts, ...(chunks.length > 0 ? { chunks } : {}) }),
      )
      await api.call(method, place, update)
    }
  }

  /** Finishes messages until the rest of the text fits into one. */
  async function overflow({ text, tasks }: View): Promise<void> {
    while (text.length - draft.base > longestMessage) {
      const { base, prefix } = draft
      const upTo = cutAt(text, base)
      const part = prefix + text.slice(base, upTo) + closing(draft, text, upTo)
      await write({ text: part, blocks: [], tasks, mark: partMark(event) })
      turnOver(draft, text, upTo)
    }
  }

  return {
    turn: async () => (open() ? api.turn('chat.update live', place) : undefined),
    async show(view) {
      const { text, tasks } = view
      if (text.length - draft.base > longestMessage) return overflow(view)
      const shown = healed(draft.prefix + text.slice(draft.base)) || taskLine(tasks)
      await write({ text: shown, blocks: stopBlocks(event), tasks, mark: liveMark(event) })
    },
    async end(final) {
      await overflow(final)
      const { blocks, tasks } = final
      await write({ text: draft.prefix + final.text.slice(draft.base), blocks, tasks })
    },
  }
}

/** The last resort: the finished reply in messages of the oldest kind. What was begun and can't be ended is removed. */
export function wholeSurface(api: SlackApi, draft: Draft): Surface {
  const { place, event } = draft
  const { channel } = place
  async function remove(ts: string): Promise<void> {
    await api.call('chat.delete', place, (client) => client.chat.delete({ channel, ts }))
    draft.messages.pop()
  }
  return {
    turn: async () => undefined,
    show: async () => undefined,
    async end(final: Final) {
      const begun = draft.messages.at(-1)
      if (begun && !draft.finished) await remove(begun).catch(() => undefined)
      const parts = sectionParts(draft.prefix + final.text.slice(draft.base))
      const last = parts.length - 1
      for (const [index, part] of (parts.length > 0 ? parts : ['…']).entries()) {
        const blocks = index >= last ? [section(part), ...final.plainBlocks] : [section(part, partMark(event))]
        const posted = await api.call('chat.postMessage', place, (client) =>
          client.chat.postMessage({
            channel,
            text: summary(part),
            blocks,
            ...quiet,
            ...(place.thread ? { thread_ts: place.thread } : {}),
          }),
        )
        if (posted.ts) draft.messages.push(posted.ts)
      }
    },
  }
}
