import type { App } from '@slack/bolt'
import type { Client } from './api.ts'
import { commanded, confirmed, type Respond } from './command.ts'
import { type Ack, corrected, pressed, shortcutChosen } from './feedback.ts'
import { hearMessage, hearOpened, hearReaction, hearStop } from './hear.ts'
import { publishHome, showHome } from './home.ts'
import { correctShortcut } from './manifest.ts'
import { teamOf } from './parse/event.ts'
import { parsePress } from './parse/interaction.ts'
import { keepingOf } from './receive/kept.ts'
import { correctModal } from './render/modal.ts'
import type { Site } from './site.ts'

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
  /** The same for what people press and send off: not acknowledged when it failed, so that they are told. */
  const act = (work: (args: Acted) => Promise<void>) => async (args: Acted) => {
    if (!attached) return
    const { team: inner, team_id: team = inner?.id } = args.body as { team?: { id?: string }; team_id?: string }
    if (team) options.met(team, args.client)
    await work(args).catch((error: unknown) => site.log.error('slack.action.failed', { error }))
  }

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
