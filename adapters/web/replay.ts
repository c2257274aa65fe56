import { type Context, Hono } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import type { Replays } from '../../src/ports/replay.ts'
import { parseForm } from './parse.ts'
import { pair, progressText, type ReplayPanel, replayPage, replayPanel, summary } from './render/replay.ts'
import { type Env, fragment, pageOf, requireAdmin, type Site } from './site.ts'
import { untilGone } from './sse.ts'

/** Routes of the replay page, for admins alone: it shows what others wrote. */
export function replayRoutes(site: Site): Hono<Env> {
  const app = new Hono<Env>()
  const { replays } = site.bot
  if (!replays) return app
  const panel = async (c: Context<Env>) =>
    fragment(c, replayPanel(pageOf(site, c.get('session')), await panelOf(replays)), { back: site.url('/replay') })

  app.use('/replay', adminsOnly)
  app.use('/replay/*', adminsOnly)
  app.get('/replay', async (c) => {
    const from = c.req.query('from') || replays.last()?.profile
    const source = c.req.query('from')
      ? await replays.source(from)
      : (replays.last()?.source ?? (await replays.source()))
    const view = { ...(await panelOf(replays)), choices: await replays.choices(), source }
    return c.html(replayPage(pageOf(site, c.get('session')), { ...view, from: from ?? view.serving }))
  })
  app.get('/replay/panel', panel)
  app.get('/replay/events', (c) =>
    streamSSE(c, (stream) =>
      untilGone(site.signal, stream, (signal) => {
        const after = Number(c.req.header('last-event-id') ?? c.req.query('after') ?? 0)
        return follow(
          replays,
          { id: c.req.query('id') ?? '', after: Number.isInteger(after) ? after : 0 },
          stream,
          signal,
        )
      }),
    ),
  )

  const act = (path: string, work: (c: Context<Env>, by: string) => Promise<unknown>) =>
    app.post(path, async (c) => {
      await work(c, c.get('session').person.id)
      return panel(c)
    })
  act('/replay/start', (c, by) => {
    const { age, tenant, ...rest } = parseForm('replay', c.get('form'))
    const since = age === '' ? {} : { since: new Date(Date.now() - Number(age) * 86_400_000).toISOString() }
    return replays.start({ ...rest, ...since, ...(tenant ? { tenant } : {}) }, by)
  })
  act('/replay/cancel', async () => replays.cancel())
  act('/replay/promote', (c, by) => replays.promote(parseForm('promotion', c.get('form')).id, by))
  return app
}

async function adminsOnly(c: Context<Env>, next: () => Promise<void>): Promise<void> {
  requireAdmin(c.get('session'))
  await next()
}

async function panelOf(replays: Replays): Promise<ReplayPanel> {
  const { versions } = await replays.choices()
  return { replay: replays.last(), serving: versions.find(({ serving }) => serving)?.version ?? '' }
}

/** Sends each message as it is answered, with the counts so far; then, or when the replay is gone, that it has ended. */
async function follow(
  replays: Replays,
  { id, after }: { readonly id: string; readonly after: number },
  stream: SSEStreamingApi,
  signal: AbortSignal,
): Promise<void> {
  let nth = after
  for await (const turn of replays.watch(id, after, signal)) {
    const replay = replays.last()
    if (replay?.id !== id) break
    const done = nth + 1
    const data = {
      nth,
      html: String(await pair(turn, replay.turns[nth - 1])),
      summary: String(await summary(replay.summary)),
      line: progressText(replay),
    }
    await stream.writeSSE({ event: 'turn', id: String(done), data: JSON.stringify(data) })
    nth = done
  }
  if (!signal.aborted) await stream.writeSSE({ event: 'end', data: '{}' })
}
