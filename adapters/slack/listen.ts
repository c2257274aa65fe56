import type { App } from '@slack/bolt'
import { HoneError } from '../../src/errors.ts'
import type { Client } from './api.ts'
import { commanded, confirmed, type Respond } from './command.ts'
import { type Ack, closed, corrected, pressed, shortcutChosen } from './feedback.ts'
import { hearMessage, hearOpened, hearReaction, hearStop } from './hear.ts'
import { publishHome, showHome } from './home.ts'
import { correctShortcut } from './manifest.ts'
import { teamOf } from './parse/event.ts'
import { parseCorrection, parsePress, parseShortcut } from './parse/interaction.ts'
import { outsiderIn } from './parse/outsider.ts'
import { keepingOf } from './receive/kept.ts'
import { correctModal } from './render/modal.ts'
import type { Site } from './site.ts'
import { notForOutsiders, whisper } from './whisper.ts'

export interface ListenOptions {
  readonly reactions: boolean
  /** A workspace's own client, as the host's `authorize` made it. */
  readonly met: (team: string, client: Client) => void
}

interface Delivered {
  readonly body: unknown
  readonly client: Client
  readonly context: { readonly botUserId?: string } & Readonly<Record<string, unknown>>
}

type Work = (site: Site, body: unknown, self: string) => Promise<void>

interface Acted extends Delivered {
  readonly ack: Ack
  readonly respond?: Respond
}

/** Errors that say to people themselves what is wrong. */
const inWords: ReadonlySet<string> = new Set(['FEEDBACK', 'INPUT', 'LIMIT', 'NOT_FOUND'])

/**
 * Registers Hone's listeners, by name: what isn't Hone's never reaches it. Answers a function that silences them, as
 * Bolt can't take a listener away.
 */
export function listen(app: App, site: Site, options: ListenOptions): () => void {
  let attached = true

  /**
   * Runs a listener for an event. One that keeps the event tells Hone's receivers when that is done, or that it failed;
   * others need no second delivery. Throws nothing into the host.
   */
  const event =
    (work: Work, keeps = false) =>
    async (args: Delivered) => {
      if (!attached) return
      const keeping = keepingOf(args.context)
      if (!keeps) keeping?.kept()
      const team = teamOf(args.body)
      if (team) options.met(team, args.client)
      try {
        await work(site, args.body, args.context.botUserId ?? '')
        keeping?.kept()
      } catch (error) {
        site.log.error('slack.event.failed', { error })
        keeping?.failed(error)
      }
    }
  /** The same for what people press and send off. What failed is told to them, in words or by leaving it unacknowledged. */
  const act = (work: (args: Acted) => Promise<void>) => async (args: Acted) => {
    if (!attached) return
    const { team: inner, team_id: team = inner?.id } = args.body as { team?: { id?: string }; team_id?: string }
    if (team) options.met(team, args.client)
    const outsider = outsiderIn(args.body)
    const done = outsider && !site.partners.includes(outsider) ? refuse(args) : work(args)
    await done
      .catch((error: unknown) => {
        if (!(error instanceof HoneError) || !inWords.has(error.code)) throw error
        return tell(args, `${error.message} ${error.help}`)
      })
      .catch((error: unknown) => site.log.error('slack.action.failed', { error }))
  }

  /** Acknowledges what people pressed or sent off, and says only to them what became of it. */
  const tell = async ({ body, ack }: Acted, text: string): Promise<void> => {
    await ack()
    const by = parsePress(body) ?? parseShortcut(body) ?? parseCorrection(body)
    if (by?.place) await whisper(site, by.place, by.user, text)
  }
  /** Someone of another company pressed or chose something: it is not kept. */
  const refuse = (args: Acted): Promise<void> => tell(args, notForOutsiders)

  if (site.answers) {
    app.event('message', event(hearMessage, true))
    app.event('app_mention', event(hearMessage, true))
    app.event('agent_session_stopped', event(hearStop))
    app.event('assistant_thread_started', event(hearOpened))
  }
  app.event(
    'app_home_opened',
    event(async (at, body) => {
      await showHome(at, body)
      if (site.answers) await hearOpened(at, body)
    }),
  )
  if (options.reactions) {
    app.event('reaction_added', event(hearReaction, true))
    app.event('reaction_removed', event(hearReaction, true))
  }
  app.action(
    /^hone:(?!run$|dismiss$)/,
    act(({ body, ack }) => pressed(site, body, ack)),
  )
  app.action(
    /^hone:(?:run|dismiss)$/,
    act(async ({ body, ack, respond }) => {
      await ack()
      await confirmed(site, body, respond)
      const press = parsePress(body)
      if (press && !press.place) await publishHome(site, press.team, press.user)
    }),
  )
  app.view(
    correctModal,
    act(({ body, ack }) => corrected(site, body, ack)),
  )
  app.view(
    { callback_id: correctModal, type: 'view_closed' },
    act(({ body, ack }) => closed(site, body, ack)),
  )
  app.shortcut(
    { callback_id: correctShortcut, type: 'message_action' },
    act(({ body, ack }) => shortcutChosen(site, body, ack)),
  )
  app.command(
    site.command,
    act(async ({ body, ack, respond }) => {
      await ack()
      if (respond) await commanded(site, body, respond)
    }),
  )
  return () => {
    attached = false
  }
}
