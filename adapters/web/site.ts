import { randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import { HoneError } from '../../src/errors.ts'
import { newId } from '../../src/id.ts'
import type { Logger } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { BotTurn } from '../../src/ports/store.ts'
import type { Family } from './family.ts'
import type { Files } from './files.ts'
import { threadName } from './parse.ts'
import type { Html, Page } from './render/layout.ts'
import type { Session, Sessions } from './session.ts'
import type { Streams } from './stream.ts'
import type { Views } from './view.ts'

/** What hono keeps for each request here. */
export type Env = { Variables: { session: Session; form: Readonly<Record<string, unknown>> } }

/** What all routes share. */
export interface Site {
  readonly bot: Bot
  readonly title: string
  readonly notice: string
  readonly examples: readonly string[]
  readonly log: Logger
  readonly files: Files
  readonly sessions: Sessions
  readonly streams: Streams
  readonly views: Views
  readonly family: Family
  /** Ends when the adapter is detached. */
  readonly signal: AbortSignal
  readonly url: (path: string) => string
}

/** What the templates need, for this request. */
export function pageOf(site: Site, session: Session): Page {
  return {
    title: site.title,
    url: site.url,
    asset: (name) => site.url(site.files.path(name)),
    csrf: session.csrf,
    admin: session.admin,
    personName: session.person.name,
    notice: site.notice,
    learning: site.bot.learning !== undefined,
    replays: site.bot.replays !== undefined,
    newEvent: () => newId('e') + randomBytes(4).toString('hex'),
  }
}

/** A fragment for htmx; a browser without JavaScript is sent back to where the whole page is. */
export async function fragment(c: Context<Env>, body: Html, options: { status?: 200 | 202; back: string }) {
  if (!c.req.header('hx-request')) return c.redirect(options.back, 303)
  return c.html(body, options.status ?? 200)
}

/** The bot turn that the URL names, if it is in one of the person's own threads. */
export async function ownTurn(site: Site, session: Session, id: string): Promise<BotTurn & { readonly name: string }> {
  const turn = await site.bot.store.turns.get(id)
  const name = turn && threadName(session, turn.thread)
  if (turn?.role !== 'assistant' || name == null) {
    throw new HoneError('NOT_FOUND', 'There is no such reply in your conversations.')
  }
  return { ...turn, name }
}

/** @throws HoneError FORBIDDEN for anyone but a signed-in admin */
export function requireAdmin(session: Session): void {
  if (!session.admin) throw new HoneError('FORBIDDEN', 'Only an admin may do this.')
}
