import { z } from 'zod'
import { HoneError } from '../../src/errors.ts'
import type { InboundMessage } from '../../src/ports/channel.ts'
import type { Client } from './api.ts'
import { type Heard, type SharedFile, sharedFile } from './parse/event.ts'
import { placeOf, scopeOf, tenantOf, userOf } from './place.ts'
import type { ReadFile, Site } from './site.ts'
import { whisper } from './whisper.ts'

const longestFile = 20_000_000

/** In the inbox, files wait under a channel of their own: nobody answers them as a message. */
const filesChannel = 'slack-files'

/**
 * Takes the files of a message that is addressed to the bot, and tells the outcome to the one who shared them. Resolves
 * once they are on disk as work to be done, with true when the message was about nothing else. Whether it was an admin
 * is asked only then: Slack, who may have to be asked, is not kept waiting for its acknowledgement.
 */
export async function takeFiles(site: Site, { event, addressed, files }: Heard): Promise<boolean> {
  if (!site.read || !addressed || files.length === 0) return false
  const work = { ...event, id: `files:${event.id}`, channel: filesChannel, text: JSON.stringify(files) }
  if (await site.bot.store.inbox.claim(work)) void readAll(site, work, site.read)
  return event.text === ''
}

/** Reads what an earlier process was told to read and did not. Never throws. */
export async function resumeFiles(site: Site): Promise<void> {
  try {
    for (const event of await site.bot.store.inbox.unsettled())
      if (event.channel === filesChannel && event.kind === 'message' && site.read) await readAll(site, event, site.read)
  } catch (error) {
    site.log.warn('slack.files.unread', { error })
  }
}

const sharedFiles = z.array(sharedFile)

async function readAll(site: Site, event: InboundMessage, read: ReadFile): Promise<void> {
  const place = placeOf(event.thread)
  const user = userOf(event.person)
  const admin = await site.isAdmin(place.team, user)
  const told = admin ? await outcomes(site, event, read) : 'Files are read only when an admin shares them.'
  await whisper(site, place, user, told)
  await site.bot.store.inbox
    .settle(event.id, admin ? 'answered' : 'ignored')
    .catch((error: unknown) => site.log.warn('slack.files.unsettled', { event: event.id, error }))
}

/** Reads file by file; what became of each, in words. */
async function outcomes(site: Site, { thread, text }: InboundMessage, read: ReadFile): Promise<string> {
  const place = placeOf(thread)
  const told: string[] = []
  for (const file of sharedFiles.parse(JSON.parse(text))) {
    const name = file.name ?? file.id
    try {
      const bytes = await download(file, site.clientOf(place.team))
      const passages = await read({ id: file.id, name, bytes, tenant: tenantOf(place.team), scope: scopeOf(place) })
      told.push(`Read **${name}**: ${passages} passages, for the people of this channel.`)
    } catch (error) {
      site.log.info('slack.file.failed', { file: file.id, error: String(error) })
      const why = error instanceof HoneError ? `${error.message} ${error.help}` : 'It could not be fetched from Slack.'
      told.push(`**${name}** was not read. ${why}`)
    }
  }
  return told.join('\n\n')
}

/** The bot's token goes to Slack alone, wherever an event says that the file is. */
async function download({ url_private_download: url, size }: SharedFile, client: Client): Promise<Uint8Array> {
  const { origin, host } = new URL(url && URL.canParse(url) ? url : 'none:')
  const ours =
    origin === new URL(client.slackApiUrl).origin ||
    (origin === `https://${host}` && /(^|\.)slack(-gov)?\.com$/.test(host))
  if (!url || !ours) throw new HoneError('DOCUMENT', 'The file does not lie in Slack.')
  if ((size ?? 0) > longestFile) throw new HoneError('DOCUMENT', 'The file is larger than 20 MB.')
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${client.token}` },
    redirect: 'error',
    signal: AbortSignal.timeout(60_000),
  })
  // Without files:read, Slack answers with its sign-in page.
  if (!response.ok || response.headers.get('content-type')?.startsWith('text/html')) {
    throw new HoneError('DOCUMENT', 'Slack does not hand the file out; the app needs the scope files:read.')
  }
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (bytes.byteLength > longestFile) throw new HoneError('DOCUMENT', 'The file is larger than 20 MB.')
  return bytes
}
