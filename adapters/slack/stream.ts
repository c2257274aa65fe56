import type { types } from '@slack/bolt'
import { createPacer } from '../shared/pace.ts'
import { type SlackApi, slackCode } from './api.ts'
import { markdown, partMark, taskChunk, taskMark } from './render/reply.ts'
import { summary } from './render/text.ts'
import { closing, cutAt, type Draft, type Final, longestMessage, type Surface, turnOver, type View } from './surface.ts'

export interface StreamOptions {
  readonly api: SlackApi
  readonly draft: Draft
  /** Sets the session back when the stream ends; only for apps that have sessions. */
  readonly session: Promise<boolean>
  readonly now: () => number
  readonly wait?: (ms: number) => Promise<unknown>
}

/** No stream may be begun now; a message that is edited can do the same. */
class StreamUnavailable extends Error {}

/** Slack closes a stream after about five minutes; a new one goes on before that. */
const streamLifeMs = 240_000
const perReplyPerMinute = 90

type Chunk = types.AnyChunk
const textChunk = (text: string): Chunk[] => (text ? [{ type: 'markdown_text', text }] : [])

/**
 * Slack's own streaming: text grows word by word, with task cards. One message after another when a stream gets too
 * long or too old.
 */
export function streamSurface({ api, draft, session, now, wait }: StreamOptions): Surface {
  const { place, user, event } = draft
  const { channel, thread } = place
  const own = createPacer({ capacity: 1, perMinute: perReplyPerMinute, now, ...(wait ? { wait } : {}) })
  let ts = ''
  let began = 0
  /** Characters of the text that were sent, in whichever message. */
  let sent = 0
  let shown = ''
  const shownTasks = new Map<string, string>()

  const newTasks = (view: View): Chunk[] =>
    view.tasks
      .map((task) => taskChunk(task, event))
      .filter((chunk) => 'id' in chunk && shownTasks.get(chunk.id) !== JSON.stringify(chunk))
  /** Those stand in Slack now. */
  const tasksShown = (chunks: readonly Chunk[]): void => {
    for (const chunk of chunks) if ('id' in chunk) shownTasks.set(chunk.id, JSON.stringify(chunk))
  }

  /** Every stream begins with a task card, whose id says whose reply it is should this process die. */
  async function start(first: readonly Chunk[], wanted: 'now' | 'wait'): Promise<void> {
    const title = draft.messages.length > 0 ? 'Continued' : 'Answering'
    const id = taskMark(event, `message${draft.messages.length + 1}`)
    const card: Chunk = { type: 'task_update', id, title, status: 'complete' }
    const chunks = first.some((chunk) => 'id' in chunk) ? first : [card, ...first]
    const run = (client: Parameters<Parameters<SlackApi['call']>[2]>[0]) =>
      client.chat.startStream({
        channel,
        thread_ts: thread as string,
        recipient_user_id: user,
        recipient_team_id: place.team,
        chunks: [...chunks],
      })
    // Slack counts from when it gets the call, so this side counts from before.
    const before = now()
    const started = await (wanted === 'now'
      ? api.tryCall('chat.startStream', place, run)
      : api.call('chat.startStream', place, run))
    if (!started?.ts) throw new StreamUnavailable('No stream may be begun now.')
    ts = started.ts
    began = before
    tasksShown(chunks)
    draft.messages.push(ts)
    draft.finished = false
  }

  /** Ends this message, with nothing in it left in progress, and goes on in a new one. */
  async function roll({ text, tasks }: View, upTo: number): Promise<void> {
    const rest = textChunk(text.slice(sent, upTo) + closing(draft, text, upTo))
    const ended = tasks.filter(({ done }) => !done).map((task) => taskChunk({ ...task, done: true }, event))
    const last = { channel, ts, chunks: [...ended, ...rest] }
    await api.call('chat.stopStream', place, (client) => client.chat.stopStream(last))
    tasksShown(ended)
    sent = upTo
    turnOver(draft, text, upTo)
    await start(textChunk(draft.prefix), 'wait')
  }

  /** Slack ended the stream: what was sent of it is made whole by an edit, and a new message goes on. */
  async function repair(text: string): Promise<void> {
    const old = ts
    const body = draft.prefix + text.slice(draft.base, sent)
    const whole = body + closing(draft, text, sent)
    if (whole)
      await api.call('chat.update', place, (client) =>
        client.chat.update({
          channel,
          ts: old,
          text: summary(whole),
          blocks: [markdown(whole, partMark(event))],
        }),
      )
    turnOver(draft, text, sent)
    await start(textChunk(draft.prefix), 'wait')
  }

  const tooOld = () => now() - began > streamLifeMs

  return {
    async turn() {
      if (!ts) return
      await own.take('reply')
      await api.turn('chat.appendStream', place)
    },
    async show(view) {
      if (!ts) return start(newTasks(view), 'now')
      if (tooOld() || view.text.length - draft.base > longestMessage) return roll(view, cutAt(view.text, draft.base))
      const chunks = [...newTasks(view), ...textChunk(view.text.slice(sent))]
      if (chunks.length === 0) return
      try {
        await api.now('chat.appendStream', place, (client) => client.chat.appendStream({ channel, ts, chunks }))
        tasksShown(chunks)
        sent = view.text.length
        shown = view.text
      } catch (error) {
        if (slackCode(error) !== 'message_not_in_streaming_state') throw error
        await repair(view.text)
      }
    },
    async end(final) {
      if (!ts) await start(newTasks(final), 'now')
      if (!final.text.startsWith(shown)) {
        await stop({ ...final, text: shown, blocks: [] })
        throw new StreamUnavailable('The reply ended in other words than it began.')
      }
      while (final.text.length - draft.base > longestMessage) await roll(final, cutAt(final.text, draft.base))
      await stop(final).catch(async (error: unknown) => {
        if (slackCode(error) !== 'invalid_blocks') throw error
        await stop({ ...final, blocks: final.plainBlocks })
      })
    },
  }

  async function stop(final: Final): Promise<void> {
    const chunks = [...newTasks(final), ...textChunk(final.text.slice(sent))]
    const ends = await session
    await api.call('chat.stopStream', place, (client) =>
      client.chat.stopStream({
        channel,
        ts,
        ...(chunks.length > 0 ? { chunks } : {}),
        blocks: [...final.blocks],
        ...(ends ? { session_status: 'active' } : {}),
      }),
    )
    draft.sessionEnded = true
  }
}
