import { newId } from '../../src/id.ts'
import type { CommandReply } from '../../src/ports/bot.ts'
import type { ThreadId } from '../../src/ports/channel.ts'
import { once } from '../shared/once.ts'
import { followRun, type RunView } from '../shared/run.ts'
import { type Commanded, parseCommand, parsePress } from './parse/interaction.ts'
import { outsiderIn } from './parse/outsider.ts'
import { isIn, tenantOf, threadOf } from './place.ts'
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

/** What is asked back before an admin's command is done. */
const confirmations: Readonly<Record<string, string>> = {
  retrain: 'Train on the votes so far? The new version serves only if it proves better.',
  promote: 'Let this version serve from now on?',
  rollback: 'Go back to the version that served before?',
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
  const admin = await site.isAdmin(asked.team, asked.user)
  const question = await questionBefore(site, asked, admin)
  if (question) return void (await respond(ephemeral(question.text, confirmBlocks(question.command, question.text))))
  const given = { ...whose(asked), id: newId(`slack:${asked.team}:command`) }
  await once(site.bot.store, given, async () => respond(ephemeral((await run(site, asked, admin)).text)))
}

interface Question {
  readonly text: string
  /** What *Yes* gives. */
  readonly command: string
}

async function questionBefore(site: Site, asked: Commanded, admin: boolean): Promise<Question | undefined> {
  const [name = '', action = '', version = ''] = asked.text.split(/\s+/)
  if (name === 'forget-me')
    return { text: 'Delete what you wrote here and every vote of yours, for good?', command: 'forget-me confirm' }
  if (!admin || (name === 'retrain' && asked.text.includes('--dry-run'))) return undefined
  if (name === 'profile' && (action === 'rollback' || (action === 'promote' && version))) {
    const change = await run(site, { ...asked, text: `profile diff ${version}` }, admin)
    const text = `${change.text}\n\nLet this profile shape replies from now on?`
    return change.ok ? { text, command: `${asked.text} confirm` } : undefined
  }
  const text = Object.hasOwn(confirmations, name) ? confirmations[name] : undefined
  return text ? { text, command: asked.text } : undefined
}

const whose = ({ text, team, thread, person }: Commanded) => ({
  ...{ text, thread, person },
  ...{ tenant: tenantOf(team), channel: 'slack' },
})

/**
 * *Yes, do it* or *No* below such a question, or a button of App Home. Who pressed it is checked anew, and a question
 * is answered once, by whichever process hears it: two quick presses don't roll back twice.
 */
export async function confirmed(site: Site, body: unknown, respond: Respond | undefined): Promise<void> {
  const press = parsePress(body)
  if (!press) return
  const { team, user, person, message, action, value: text } = press
  if (action === 'hone:dismiss')
    return void (await respond?.({ ...ephemeral('Nothing was changed.'), replace_original: true }))
  const place = press.place ?? { team, channel: user }
  const asked: Commanded = { team, user, person, place, text, thread: threadOf({ team, channel: place.channel }) }
  const question = `slack:${team}:yes:${place.channel}:${user}:${message}`
  const given = { ...whose(asked), id: message ? question : newId(`slack:${team}:command`) }
  const admin = !outsiderIn(body) && (await site.isAdmin(team, user))
  await once(site.bot.store, given, async () => {
    const reply = await run(site, asked, admin)
    if (respond) await respond({ ...ephemeral(reply.text), replace_original: true })
    else await post(site, place, { text: summary(reply.text), blocks: [said(reply.text)] })
  })
}

const lookedAt = 100

/**
 * The newest reply to the one who asks, in the channel they ask in: Slack's commands know of no thread. Undefined when
 * there is none in the threads they wrote in lately.
 */
async function lastReply({ bot }: Site, { team, place, person }: Commanded): Promise<string | undefined> {
  const { turns } = bot.store
  const theirs = await turns.threads(tenantOf(team), person.id, lookedAt)
  const here = theirs.find(({ thread }) => isIn(place, thread))
  const history = here ? await turns.history(here.thread, lookedAt) : []
  const asked = new Set(history.flatMap((turn) => (turn.role === 'user' && turn.person === person.id ? turn.id : [])))
  return history.findLast((turn) => turn.role === 'assistant' && turn.parent && asked.has(turn.parent))?.id
}

async function run(site: Site, asked: Commanded, admin: boolean): Promise<CommandReply> {
  const { text, team, thread, person, place } = asked
  const sees = (other: ThreadId) => isIn(place, other)
  const where = { tenant: tenantOf(team), channel: 'slack', thread, person, admin, sees }
  const answer = async () => {
    const turn = text === 'why' ? await lastReply(site, asked) : undefined
    return site.bot.command({ text: turn ? `why ${turn}` : text || 'help', ...where })
  }
  const reply = await answer().catch((error: unknown) => {
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
      await site.api.call('chat.update live', { team, channel }, (client) =>
        client.chat.update({ channel, ts, ...body }),
      )
    } else {
      posted =
        (await post(site, { team, channel: place.channel }, body)) ?? (await post(site, { team, channel: user }, body))
    }
  }
  const failed = (error: unknown) => site.log.info('slack.run.unshown', { error: String(error) })
  const options = { everyMs: 5000, failed, tenant: tenantOf(team), ...(site.wait ? { wait: site.wait } : {}) }
  await followRun(site.bot, show, options).catch(failed)
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
