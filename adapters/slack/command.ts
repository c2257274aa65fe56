import type { CommandReply } from '../../src/ports/bot.ts'
import { followRun, type RunView } from '../shared/run.ts'
import { type Commanded, parseCommand, parsePress } from './parse/interaction.ts'
import { tenantOf, threadOf } from './place.ts'
import { confirmBlocks } from './render/modal.ts'
import { type Block, markdown } from './render/reply.ts'
import { runBlocks } from './render/run.ts'
import { safeText, short, summary } from './render/text.ts'
import type { Site } from './site.ts'

/** Answers the one who asked, through the address Slack gave for it. */
export type Respond = (answer: {
  readonly text: string
  readonly blocks?: Block[]
  readonly response_type: 'ephemeral'
  readonly replace_original?: boolean
}) => Promise<unknown>

/** What is asked back before it is done. */
const confirmations: Readonly<Record<string, string>> = {
  retrain: 'Train on the votes so far? The new version serves only if it proves better.',
  promote: 'Let this version serve from now on?',
  rollback: 'Go back to the version that served before?',
  'forget-me': 'Delete what you wrote here and every vote of yours, for good?',
}

const said = (text: string) => markdown(safeText(short(text, 11_000)))
const ephemeral = (text: string, blocks?: Block[]) => ({
  response_type: 'ephemeral' as const,
  text: summary(text),
  blocks: blocks ?? [said(text)],
})

/** The slash command. Answers are ephemeral; what changes something is confirmed first. */
export async function commanded(site: Site, body: unknown, respond: Respond): Promise<void> {
  const asked = parseCommand(body)
  if (!asked) return
  const [name = ''] = asked.text.split(/\s+/)
  const question = confirmations[name]
  const admin = await site.isAdmin(asked.team, asked.user)
  const harmless = name === 'retrain' && asked.text.includes('--dry-run')
  if (question && (admin || name === 'forget-me') && !harmless) {
    const text = name === 'forget-me' ? 'forget-me confirm' : asked.text
    await respond(ephemeral(question, confirmBlocks(text, question)))
    return
  }
  const reply = await run(site, asked, admin)
  await respond(ephemeral(reply.text))
}

/**
 * *Yes, do it* or *No* below such a question, or a button of App Home. Who pressed it is checked anew, and a question
 * is answered once: two quick presses don't roll back twice.
 */
export async function confirmed(site: Site, body: unknown, respond: Respond | undefined): Promise<void> {
  const press = parsePress(body)
  if (!press) return
  const { team, user, person, place, message, action, value } = press
  if (place && !site.once(`answered ${team} ${place.channel} ${message}`)) return
  if (action === 'hone:dismiss')
    return void (await respond?.({ ...ephemeral('Nothing was changed.'), replace_original: true }))
  const where = place ?? { team, channel: user }
  const asked: Commanded = {
    team,
    user,
    person,
    place: where,
    thread: threadOf({ team, channel: where.channel }),
    text: value,
  }
  const reply = await run(site, asked, await site.isAdmin(team, user))
  if (respond) await respond({ ...ephemeral(reply.text), replace_original: true })
  else await post(site, where, { text: summary(reply.text), blocks: [said(reply.text)] })
}

async function run(site: Site, asked: Commanded, admin: boolean): Promise<CommandReply> {
  const { text, team, thread, person } = asked
  const answer = site.bot.command({
    text: text || 'help',
    tenant: tenantOf(team),
    channel: 'slack',
    thread,
    person,
    admin,
  })
  const reply = await answer.catch((error: unknown) => {
    site.log.error('slack.command.failed', { error })
    return { ok: false, text: 'That did not work; the log says why.' }
  })
  if (reply.ok && /^retrain\b/.test(text) && !text.includes('--dry-run')) void showRun(site, asked)
  return reply
}

/** Follows a training run in one message of the channel; where the bot may not write, in its owner's direct messages. */
async function showRun(site: Site, { place, user, team }: Commanded): Promise<void> {
  let posted: { readonly channel: string; readonly ts: string } | undefined
  const show = async (view: RunView): Promise<void> => {
    const body = { text: `Training: ${view.phase}`, blocks: runBlocks(view) }
    if (posted) {
      const { channel, ts } = posted
      await site.api.call('chat.update', { team, channel }, (client) => client.chat.update({ channel, ts, ...body }))
    } else {
      posted =
        (await post(site, { team, channel: place.channel }, body)) ?? (await post(site, { team, channel: user }, body))
    }
  }
  const failed = (error: unknown) => site.log.info('slack.run.unshown', { error: String(error) })
  await followRun(site.bot, show, { everyMs: 5000, failed, ...(site.wait ? { wait: site.wait } : {}) }).catch(failed)
}

interface Body {
  readonly text: string
  readonly blocks: Block[]
}

async function post(site: Site, where: { readonly team: string; readonly channel: string }, body: Body) {
  try {
    const message = { channel: where.channel, ...body, unfurl_links: false, unfurl_media: false }
    const { channel = where.channel, ts = '' } = await site.api.call('chat.postMessage', where, (client) =>
      client.chat.postMessage(message),
    )
    return { channel, ts }
  } catch (error) {
    site.log.info('slack.run.elsewhere', { channel: where.channel, error: String(error) })
    return undefined
  }
}
