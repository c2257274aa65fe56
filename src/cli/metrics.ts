import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Meter } from '../intake.ts'
import type { EngineSlot } from '../ports/engine.ts'
import type { Learning } from '../ports/learning.ts'
import type { Store } from '../ports/store.ts'
import { hasBearer } from './bearer.ts'

/** What is read when someone asks. */
interface Sources {
  store(): Promise<Store>
  slot(): Promise<EngineSlot>
  learning(): Promise<Learning>
}

/** What is counted while the process runs, for `/metrics`. */
export interface Metrics {
  readonly meter: Meter
  /** Prometheus' text format, with what the store and the registry know at this moment. */
  text(sources: Sources): Promise<string>
}

const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
/** Threads whose last prompt is remembered, to tell what of the next one is new. */
const keptThreads = 1000

/** Counters of replies, their time and tokens; votes and versions are read when someone asks. */
export function createMetrics(): Metrics {
  const registers = [new Registry()]
  const [registry] = registers as [Registry]
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  const replies = counter('hone_replies_total', 'Replies, by version and outcome.', ['version', 'outcome'])
  const seconds = new Histogram({ name: 'hone_reply_seconds', help: 'Seconds to a whole reply.', buckets, registers })
  const tokens = counter('hone_prompt_tokens_total', 'Prompt tokens: new in their thread, and evaluated.', ['kind'])
  const said = counter('hone_reply_tokens_total', 'Tokens generated.')
  const queue = gauge('hone_queue_size', 'Messages being answered or waiting for it.')
  const votes = gauge('hone_votes', 'Standing votes, by version.', ['version', 'verdict'])
  const versions = gauge('hone_versions', 'Trained versions there are.')
  const serving = gauge('hone_serving', '1 for every version that serves.', ['version'])
  const canaries = gauge('hone_canary', 'Share of threads that a canary answers.', ['version'])
  const necessary = newTokens()

  return {
    meter: {
      queue: (size) => queue.set(size),
      reply({ thread, ms, turns, code }) {
        replies.inc({ version: turns[0]?.version ?? 'none', outcome: code ?? 'answered' })
        if (!code) seconds.observe(ms / 1000)
        for (const { usage } of turns) {
          tokens.inc({ kind: 'necessary' }, necessary(thread, usage.prompt))
          tokens.inc({ kind: 'evaluated' }, usage.evaluated)
          said.inc(usage.completion)
        }
      },
    },
    async text({ store, slot, learning }) {
      for (const one of [votes, serving]) one.reset()
      for (const { version, up, down } of await (await store()).feedback.counts()) {
        votes.inc({ version, verdict: 'up' }, up)
        votes.inc({ version, verdict: 'down' }, down)
      }
      const { of, version } = await slot()
      for (const tenant of of ? await (await store()).serving.tenants() : [])
        serving.set({ version: (await of?.(tenant))?.version.id ?? version.id }, 1)
      serving.set({ version: version.id }, 1)
      const canary = await (await learning()).live?.canary()
      canaries.reset()
      if (canary) canaries.set({ version: canary.version }, canary.share)
      versions.set((await (await learning()).versions()).filter(({ id }) => id !== 'v0').length)
      return registry.metrics()
    },
  }
}

/** What a prompt has more than the one before it in its thread; all of it when it is shorter, for then it began anew. */
function newTokens(): (thread: string, prompt: number) => number {
  const last = new Map<string, number>()
  return function grown(thread, prompt) {
    const before = last.get(thread) ?? 0
    last.delete(thread)
    last.set(thread, prompt)
    if (last.size > keptThreads) last.delete(last.keys().next().value as string)
    return prompt >= before ? prompt - before : prompt
  }
}

const here = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1', 'localhost', '[::1]'])

/** True for a request of this machine that no proxy passed on, or with the admin token. */
export function mayRead(request: Request, address: string | undefined, adminToken: string): boolean {
  const own = here.has(address ?? '') && here.has(new URL(request.url).hostname)
  if (own && !request.headers.has('x-forwarded-for') && !request.headers.has('forwarded')) return true
  return hasBearer(request, adminToken)
}
