import { setTimeout as sleep } from 'node:timers/promises'
import { HoneError } from '../../src/errors.ts'
import type { Inbound } from '../../src/ports/channel.ts'
import { takeFiles } from './files.ts'
import { type Heard, parseMessage, parseOpened, parseReaction, parseStop } from './parse/event.ts'
import { turnIn } from './parse/interaction.ts'
import { outsiderIn } from './parse/outsider.ts'
import { personOf, placeOf, tenantOf, threadOf, userOf } from './place.ts'
import { short } from './render/text.ts'
import type { Site } from './site.ts'
import { notForOutsiders, whisper } from './whisper.ts'

/** Slack waits three seconds for its acknowledgement: who can't be looked up in this time is no admin for once. */
const lookUpMs = 1000

/** Keeps a message that is for the bot. Resolves once it is on disk. */
export async function hearMessage(site: Site, body: unknown, self: string): Promise<void> {
  const heard = parseMessage(body, self)
  if (!heard) return
  const { event, addressed } = heard
  if (!addressed && !(await isPartOf(site, event))) return
  const outsider = outsiderIn(body)
  if (outsider && !site.partners.includes(outsider)) return refuseOutsider(site, heard)
  if (!outsider && (await takeFiles(site, heard))) return
  const { wait = (ms: number) => sleep(ms, undefined, { ref: false }) } = site
  const known = outsider ? false : site.isAdmin(heard.place.team, userOf(event.person))
  const admin = await Promise.race([known, wait(lookUpMs).then(() => false)])
  await keep(site, admin ? { ...event, admin } : event)
}

/** Someone of another company, whom nobody here vouches for: what they say is neither answered nor kept. */
function refuseOutsider(site: Site, { event, addressed, place }: Heard): void {
  const user = userOf(event.person)
  site.log.info('slack.outsider', { channel: place.channel })
  if (addressed && site.once(`refused ${event.id}`)) void whisper(site, place, user, notForOutsiders)
}

async function isPartOf({ bot }: Site, { thread }: Inbound): Promise<boolean> {
  return (await bot.store.turns.history(thread, 1)).length > 0
}

/** Gives an event to the bot; what it refuses (too long, empty) is told to the one who wrote it. */
export async function keep(site: Site, event: Inbound): Promise<void> {
  const { arriving } = site
  const received = site.bot.receive(event)
  const first = !arriving.has(event.id)
  if (first) arriving.set(event.id, received)
  try {
    // What is only repeated has its reply elsewhere: made already, or by what a crash left behind.
    if ((await received) === 'duplicate' && first) arriving.delete(event.id)
  } catch (error) {
    if (first) arriving.delete(event.id)
    if (!(error instanceof HoneError) || !['INPUT', 'LIMIT'].includes(error.code)) throw error
    if (site.once(`refused ${event.id}`)) void whisper(site, placeOf(event.thread), userOf(event.person), error.message)
  }
}

/** Slack's own Stop button: ends the reply that is being made in the thread. */
export async function hearStop(site: Site, body: unknown): Promise<void> {
  const place = parseStop(body)
  if (!place) return
  const event = site.answering.get(threadOf(place))
  if (event) site.bot.stop(event)
  else await site.sessions.end(place)
}

/** Offers questions where a conversation begins. */
export async function hearOpened(site: Site, body: unknown): Promise<void> {
  const opened = parseOpened(body)
  if (opened?.tab !== 'messages' || site.prompts.length === 0) return
  const { channel, thread } = opened.place
  const prompts = site.prompts.slice(0, 4).map((message) => ({ title: short(message, 75), message }))
  await site.api.tryCall('assistant.threads.setSuggestedPrompts', opened.place, (client) =>
    client.assistant.threads.setSuggestedPrompts({
      channel_id: channel,
      prompts,
      ...(thread ? { thread_ts: thread } : {}),
    }),
  )
}

/** 👍 and 👎 as reactions: the message itself says which turn it carries. One taken back withdraws only its own vote. */
export async function hearReaction(site: Site, body: unknown, self: string): Promise<void> {
  const reacted = parseReaction(body, self)
  if (!reacted) return
  const outsider = outsiderIn(body)
  if (outsider && !site.partners.includes(outsider)) return
  const { team, user, channel, ts, verdict, removed } = reacted
  const place = { team, channel }
  const answer = await site.api.call('conversations.replies', place, (client) =>
    // Of the thread it stands in, this one alone.
    client.conversations.replies({ channel, ts, oldest: ts, latest: ts, inclusive: true, limit: 10 }),
  )
  const turn = turnIn(answer.messages?.find((message) => message.ts === ts)?.blocks)
  if (!turn) return
  const person = personOf(team, user)
  const { votes } = removed ? await site.bot.store.feedback.ofTurn(turn) : { votes: [] }
  if (removed && votes.find((vote) => vote.person === person.id)?.verdict !== verdict) return
  await site.bot.feedback({
    kind: 'vote',
    turn,
    verdict: removed ? 'none' : verdict,
    tenant: tenantOf(team),
    person,
  })
}
