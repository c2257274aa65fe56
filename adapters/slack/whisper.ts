import type { Place } from './place.ts'
import { thanksBlocks } from './render/modal.ts'
import { summary } from './render/text.ts'
import type { Site } from './site.ts'

/** What people of another company are told, whom the operator did not name. */
export const notForOutsiders =
  'This bot serves the people of its own workspace. What you say to it and your votes are not kept.'

/** Says something that only one person sees. Never throws: it is a courtesy. */
export async function whisper(site: Site, place: Place, user: string, text: string, turn?: string): Promise<void> {
  const { channel, thread } = place
  try {
    await site.api.call('chat.postEphemeral', place, (client) =>
      client.chat.postEphemeral({
        channel,
        user,
        text: summary(text),
        blocks: thanksBlocks(text, turn),
        ...(thread ? { thread_ts: thread } : {}),
      }),
    )
  } catch (error) {
    site.log.info('slack.whisper.failed', { channel, error: String(error) })
  }
}
