import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silent } from '../../../src/log.ts'
import type { EngineSlot } from '../../../src/ports/engine.ts'
import type { CanaryNews } from '../../../src/ports/live.ts'
import type { Store } from '../../../src/ports/store.ts'
import { sqlite } from '../../../src/store/index.ts'
import { openRegistry, type Registry } from '../../../training/index.ts'
import { type Live, type LiveSettings, liveProof } from '../../../training/live/live.ts'
import { servingVersions } from '../../../training/serving.ts'
import { type Script, scriptedSlot } from '../../fakes/engine.ts'

export const settings: LiveSettings = { share: 0.5, days: 14, verdicts: 500 }

/** The live proof around a real store, a real registry with v1, v2 and v3, and a real slot of scripted engines. */
export interface LiveHouse extends AsyncDisposable {
  readonly dir: string
  readonly store: Store
  readonly registry: Registry
  readonly slot: EngineSlot
  readonly live: Live
  readonly news: readonly CanaryNews[]
  /** Moves the clock of the live proof. */
  later(days: number): void
  /** As after a restart: another slot and another live proof over the same store and folders. */
  again(change?: Partial<LiveSettings>): Promise<LiveHouse>
  /** Asks in a thread, keeps the reply, and judges it; answers which version replied. */
  ask(thread: string, person: string, verdict?: 'up' | 'down', at?: Date): Promise<string>
}

export interface LiveHouseOptions {
  readonly settings?: Partial<LiveSettings>
  readonly script?: Partial<Script>
  /** A folder and its database that are there already. */
  readonly dir?: string
}

/** @example await using house = await openLive({ settings: { share: 0.2 } }) */
export async function openLive(options: LiveHouseOptions = {}): Promise<LiveHouse> {
  const { settings: change = {}, script = {}, dir: given } = options
  const dir = given ?? (await mkdtemp(join(tmpdir(), 'hone-live-')))
  const store = await sqlite(given ? join(dir, 'hone.db') : ':memory:')
  const registry = await openRegistry(join(dir, 'versions'))
  const base = join(dir, 'base.gguf')
  if ((await registry.list()).length === 0) await fill({ store, registry }, dir, base)
  const house = await over({ dir, store, registry, base, script, settings: { ...settings, ...change } })
  return {
    ...house,
    async [Symbol.asyncDispose]() {
      await house[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      if (!given) await rm(dir, { recursive: true })
    },
  }
}

interface Ground {
  readonly dir: string
  readonly store: Store
  readonly registry: Registry
  readonly base: string
  readonly script: Partial<Script>
  readonly settings: LiveSettings
}

let asked = 0

async function over(ground: Ground): Promise<LiveHouse> {
  const { store, registry, base } = ground
  const slot = await scriptedSlot(await registry.toVersion(await store.serving.current(), base), ground.script)
  const serving = servingVersions({ store, slot, registry, base, log: silent })
  let days = 0
  const now = () => new Date(Date.now() + days * 24 * 60 * 60_000)
  const live = await liveProof({ ...ground, slot, serving, log: silent, now })
  const news: CanaryNews[] = []
  live.on((one) => void news.push(one))
  return {
    ...{ ...ground, slot, live, news },
    later(more) {
      days += more
    },
    async again(change) {
      await live[Symbol.asyncDispose]()
      await slot[Symbol.asyncDispose]()
      return over({ ...ground, settings: { ...ground.settings, ...change } })
    },
    async ask(thread, person, verdict, at = new Date()) {
      const id = `${process.pid}-${asked++}`
      const place = { tenant: 'web', channel: 'web', thread, at }
      const version = await slot.use(async (engine) => engine.version.id, thread)
      const question = { ...place, id: `q-${id}`, parent: null, role: 'user', text: 'Why?', person, event: id } as const
      const usage = { prompt: 1, evaluated: 1, completion: 1 }
      const made = { version, profile: 'p', sources: [], usage, prompt: [{ role: 'user', content: 'Why?' }] } as const
      const reply = { ...place, ...made, id: `a-${id}`, parent: question.id, role: 'assistant', text: 'Yes.' } as const
      await store.turns.appendBot([reply], id, question)
      if (verdict) await store.feedback.vote({ turn: reply.id, person, verdict, at: new Date() })
      return version
    },
    async [Symbol.asyncDispose]() {
      await live[Symbol.asyncDispose]()
      await slot[Symbol.asyncDispose]()
    },
  }
}

/** Three versions that passed the gate; v1 and v2 learned from Anna, v3 from Zoe. */
async function fill(into: Pick<Ground, 'store' | 'registry'>, dir: string, base: string): Promise<void> {
  const { store, registry } = into
  await writeFile(base, 'weights')
  const at = new Date('2026-05-01T10:00:00Z')
  const place = { tenant: 'web', channel: 'web', thread: 'web:taught', at, parent: null, person: 'web:someone' }
  await store.turns.appendUser({ ...place, id: 'taught', role: 'user', text: 'Why?', event: 'taught' })
  for (const person of ['web:anna', 'web:anna', 'web:zoe']) {
    const gguf = join(dir, 'made', 'lora.gguf')
    await mkdir(join(dir, 'made'), { recursive: true })
    await writeFile(gguf, 'a LoRA')
    const sha256 = createHash('sha256').update('a LoRA').digest('hex')
    const candidate = await registry.stage({ gguf, sha256 }, base)
    await registry.publish(candidate, {
      ...{ format: 1, id: candidate.id, createdAt: at.toISOString(), job: 'job', method: 'dpo', seed: 1 },
      base: { path: base, sha256: await registry.baseSha256(base) },
      lora: { file: 'lora.gguf', sha256, bytes: candidate.bytes },
      templateSha256: 'template',
      dataset: { path: '/datasets/1', hash: 'hash', shuffledLabels: false },
      hyper: {},
      pairs: [{ origin: 'votes', chosen: 'taught', rejected: '', people: [person] }],
      gate: { verdict: 'promote', checks: [] },
    })
  }
}

/** So many people, each in a thread of their own, like what the canary says and dislike the rest, or the other way round. */
export async function judge(
  house: LiveHouse,
  liked: 'canary' | 'incumbent',
  people: number,
  name = 'p',
): Promise<number> {
  for (let n = 0; n < people; n++) {
    const canary = await house.live.canary()
    if (!canary) return n
    const [thread, person] = [`web:${name}${n}`, `web:${name}${n}`]
    const version = await house.slot.versionFor?.(thread)
    const up = (version?.id === canary.version) === (liked === 'canary')
    await house.ask(thread, person, up ? 'up' : 'down')
    await house.live.look()
  }
  return people
}
