import { HoneError } from '../../src/errors.ts'
import type { Client } from './api.ts'
import type { Heard, SharedFile } from './parse/event.ts'
import { scopeOf, tenantOf, userOf } from './place.ts'
import type { ReadFile, Site } from './site.ts'
import { whisper } from './whisper.ts'

const longestFile = 20_000_000

/**
 * Takes the files of a message that an admin addressed to the bot, and tells the outcome to the admin alone. Resolves
 * with true at once when the message was about nothing else.
 */
export async function takeFiles(site: Site, heard: Heard): Promise<boolean> {
  const { event, place, addressed, files } = heard
  if (!site.read || !addressed || files.length === 0) return false
  if (!(await site.isAdmin(place.team, userOf(event.person)))) return false
  if (site.once(`files ${event.id}`)) void readAll(site, heard, site.read)
  return event.text === ''
}

async function readAll(site: Site, { event, place, files }: Heard, read: ReadFile): Promise<void> {
  const told: string[] = []
  for (const file of files) {
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
  await whisper(site, place, userOf(event.person), told.join('\n\n'))
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
