import type { Channel, MessageRef, Person } from '../../src/ports/channel.ts'
import { deliverReply } from './deliver.ts'
import { type Place, placeOf, userOf } from './place.ts'
import { markdown } from './render/reply.ts'
import { safeText, short, summary } from './render/text.ts'
import type { Site } from './site.ts'

const remembered = 1000

/** Slack as the core sees it. */
export function channelOf(site: Site): Channel {
  const delivered = new Map<string, Promise<readonly MessageRef[]>>()
  return {
    name: 'slack',
    duels: true,
    async deliver(event, events) {
      const known = delivered.get(event.id)
      if (known) {
        for await (const _ of events);
        return known
      }
      const writing = deliverReply(site, event, events)
      delivered.set(event.id, writing)
      for (const id of delivered.keys()) {
        if (delivered.size <= remembered) break
        delivered.delete(id)
      }
      site.answering.set(event.thread, event.id)
      try {
        return await writing
      } catch (error) {
        delivered.delete(event.id)
        throw error
      } finally {
        site.arriving.delete(event.id)
        if (site.answering.get(event.thread) === event.id) site.answering.delete(event.thread)
      }
    },
    notice(thread, text, person) {
      const { team } = placeOf(thread)
      return say(site, person ? directOf(team, person) : placeOf(thread), text)
    },
    async tell(person, text) {
      const [, team = ''] = person.id.split(':')
      await say(site, directOf(team, person), text)
      return true
    },
  }
}

/** For one person alone: their direct messages with the bot, which unlike an ephemeral message wait for them. */
function directOf(team: string, person: Person): Place {
  return { team, channel: userOf(person) }
}

async function say(site: Site, place: Place, text: string): Promise<void> {
  const message = {
    channel: place.channel,
    text: summary(text),
    blocks: [{ ...markdown(safeText(short(text, 11_000))), block_id: 'hone:notice' }],
  }
  const more = { unfurl_links: false, unfurl_media: false, ...(place.thread ? { thread_ts: place.thread } : {}) }
  await site.api.call('chat.postMessage', place, (client) => client.chat.postMessage({ ...message, ...more }))
}
