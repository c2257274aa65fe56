import { setTimeout as wait } from 'node:timers/promises'
import { type Context, Hono } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import { HoneError } from '../../src/errors.ts'
import { concerns } from '../../src/id.ts'
import type { Learning, RunEvent } from '../../src/ports/learning.ts'
import { canaryEnd } from '../../src/ports/live.ts'
import type { VoteCount } from '../../src/ports/store.ts'
import { parseForm } from './parse.ts'
import { type LearningView, learningPage, learningPanel } from './render/learning.ts'
import { type Env, fragment, pageOf, requireAdmin, type Site } from './site.ts'
import { untilGone } from './sse.ts'

const jobsShown = 20
const tenant = 'web'

/** Routes of the learning page: what was learned, the current run, and what an admin may do about it. */
export function learningRoutes(site: Site): Hono<Env> {
  const app = new Hono<Env>()
  const { learning } = site.bot
  if (!learning) return app
  const panel = async (c: Context<Env>) =>
    fragment(c, learningPanel(pageOf(site, c.get('session')), await learningView(site, learning)), {
      back: site.url('/learning'),
    })

  app.get('/learning', async (c) =>
    c.html(learningPage(pageOf(site, c.get('session')), await learningView(site, learning))),
  )
  app.get('/learning/panel', panel)
  app.get('/learning/data', async (c) =>
    c.json({ votes: byDay(await countsOf(site, learning)), steps: learning.steps(tenant) }),
  )
  app.get('/learning/events', (c) =>
    streamSSE(c, (stream) => untilGone(site.signal, stream, (signal) => follow(learning, stream, signal))),
  )

  const act = (path: string, work: (c: Context<Env>, by: string) => Promise<unknown>) =>
    app.post(path, async (c) => {
      const session = c.get('session')
      requireAdmin(session)
      await work(c, session.person.id)
      return panel(c)
    })
  act('/learning/retrain', (_c, by) => learning.start(by, { tenant }))
  act('/learning/compare', async (_c, by) => {
    if (!learning.comparing) throw new HoneError('NOT_FOUND', 'This bot runs without comparisons.')
    await learning.comparing.start(by, { tenant })
  })
  act('/learning/tune', async (_c, by) => {
    if (!learning.tuning) throw new HoneError('NOT_FOUND', 'This bot runs without a search for prompts.')
    await learning.tuning.start(by)
  })
  act('/learning/promote', (c, by) => learning.promote(parseForm('version', c.get('form')).version, by, tenant))
  act('/learning/rollback', (_c, by) => learning.rollback(by, tenant))
  act('/learning/cancel', async (_c, by) => {
    if (!(await learning.cancel(by, tenant)))
      throw new HoneError('NOT_FOUND', 'No run is under way; it may just have ended.')
  })
  return app
}

async function learningView(site: Site, learning: Learning): Promise<LearningView> {
  const { store } = site.bot
  const [plan, versions, jobs, counts] = await Promise.all([
    learning
      .plan({ tenant })
      .catch((error: unknown) => (error instanceof HoneError ? error.message : Promise.reject(error))),
    learning.versions(tenant),
    store.jobs.list(jobsShown),
    countsOf(site, learning),
  ])
  const votes = byDay(counts)
  const compared = learning.comparing ? { comparison: (await learning.comparing.last(tenant)) ?? null } : {}
  const tuned = learning.tuning ? { tuned: (await learning.tuning.last()) ?? null } : {}
  const own = jobs.filter((job) => concerns(job, tenant))
  const ends = await Promise.all(own.map(async (job) => [job.id, await canaryEnd(job, learning.live)] as const))
  const became = Object.fromEntries(ends.flatMap(([id, end]) => (end ? [[id, end]] : [])))
  return { plan, versions, jobs: own, became, steps: learning.steps(tenant), votes, ...compared, ...tuned }
}

/** Where tenants learn apart, the page tells nothing of theirs. */
function countsOf({ bot }: Site, learning: Learning): Promise<readonly VoteCount[]> {
  return bot.store.feedback.counts(learning.tenants && tenant)
}

/** Sends the steps so far, then every event of this run and the next ones. */
async function follow(learning: Learning, stream: SSEStreamingApi, signal: AbortSignal): Promise<void> {
  const tell = (event: string, data: object) => stream.writeSSE({ event, data: JSON.stringify(data) })
  await tell('steps', { steps: learning.steps(tenant) })
  for await (const event of runs(learning, signal)) await tell(...told(event))
}

/** Run after run, until the reader goes away. */
async function* runs(learning: Learning, signal: AbortSignal): AsyncGenerator<RunEvent> {
  while (!signal.aborted) {
    let events = 0
    for await (const event of learning.watch(signal, tenant)) {
      events += 1
      yield event
    }
    // A watch that ends without a word must not be asked again at once.
    if (events === 0) await wait(1000, undefined, { signal }).catch(() => undefined)
  }
}

/** What the page is told of a run: steps as they are, anything else as a reason to read the panel again. */
function told(event: RunEvent): [event: string, data: object] {
  if (event.kind === 'say') return ['say', { text: event.text }]
  if (event.kind !== 'train') return ['panel', {}]
  switch (event.event.type) {
    case 'step':
      return ['steps', { steps: [event.event] }]
    case 'stage':
      return ['say', { text: event.event.state === 'start' ? event.event.stage : '' }]
    case 'hello':
      return ['say', { text: `Training on ${event.event.device}` }]
    default:
      return ['panel', {}]
  }
}

function byDay(counts: readonly VoteCount[]): LearningView['votes'] {
  const days = new Map<string, { day: string; up: number; down: number }>()
  for (const { day, up, down } of counts) {
    const known = days.get(day) ?? { day, up: 0, down: 0 }
    days.set(day, { day, up: known.up + up, down: known.down + down })
  }
  return [...days.values()].sort((a, b) => a.day.localeCompare(b.day))
}
