import { healed, splitText } from '../shared/split.ts'
import { type Client, type SlackApi, slackCode } from './api.ts'
import { type Block, markdown, sections, stopBlocks, taskLine } from './render/reply.ts'
import { summary } from './render/text.ts'
import { closing, cutAt, type Draft, type Final, longestMessage, type Surface, turnOver } from './surface.ts'

const quiet = { unfurl_links: false, unfurl_media: false } as const

/** A message that is posted once and edited as the reply grows: where Slack gives no stream. */
export function editSurface(api: SlackApi, draft: Draft): Surface {
  const { place, event } = draft
  const { channel, thread } = place
  const open = () => draft.messages.length > 0 && !draft.finished

  async function write(text: string, blocks: readonly Block[], live: boolean): Promise<void> {
    const body = { channel, text: summary(text), blocks: [...(text ? [markdown(text)] : []), ...blocks] }
    const ts = draft.messages.at(-1)
    if (open() && ts) {
      const update = (client: Client) => client.chat.update({ ...body, ts })
      return void (await (live ? api.now('chat.update live', place, update) : updateWhole(ts, update)))
    }
    const posted = await api.call('chat.postMessage', place, (client) =>
      client.chat.postMessage({ ...body, ...quiet, ...(thread ? { thread_ts: thread } : {}) }),
    )
    if (posted.ts) draft.messages.push(posted.ts)
    draft.finished = false
  }

  /** A message that still streams can't be edited: its stream ends first. */
  async function updateWhole(ts: string, update: (client: Client) => Promise<unknown>): Promise<void> {
    try {
      await api.call('chat.update', place, update)
    } catch (error) {
      if (slackCode(error) !== 'streaming_state_conflict') throw error
      await api.call('chat.stopStream', place, (client) => client.chat.stopStream({ channel, ts }))
      await api.call('chat.update', place, update)
    }
  }

  /** Finishes messages until the rest of the text fits into one. */
  async function overflow(text: string): Promise<void> {
    while (text.length - draft.base > longestMessage) {
      const { base, prefix } = draft
      const upTo = cutAt(text, base)
      await write(prefix + text.slice(base, upTo) + closing(draft, text, upTo), [], false)
      turnOver(draft, text, upTo)
    }
  }

  return {
    turn: async () => (open() ? api.turn('chat.update live', place) : undefined),
    async show({ text, tasks }) {
      if (text.length - draft.base > longestMessage) return overflow(text)
      const shown = healed(draft.prefix + text.slice(draft.base))
      await write(shown || taskLine(tasks), stopBlocks(event), true)
    },
    async end(final) {
      await overflow(final.text)
      await write(draft.prefix + final.text.slice(draft.base), final.blocks, false)
    },
  }
}

/** The last resort: the finished reply in messages of the oldest kind. What was begun and can't be ended is removed. */
export function wholeSurface(api: SlackApi, draft: Draft): Surface {
  const { place } = draft
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
      const parts = splitText(draft.prefix + final.text.slice(draft.base), 2500)
      const last = parts.length - 1
      for (const [index, part] of (parts.length > 0 ? parts : ['…']).entries()) {
        const blocks = [...sections([part]), ...(index >= last ? final.plainBlocks : [])]
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
