import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, silent } from '../../src/log.ts'
import type { ChatMessage, Version } from '../../src/ports/engine.ts'
import type { Learning } from '../../src/ports/learning.ts'
import type { Store } from '../../src/ports/store.ts'
import { sqlite } from '../../src/store/index.ts'
import { withTenants } from '../../src/tenants.ts'
import { createLearning, type LearningOptions, openRegistry, type Registry } from '../../training/index.ts'
import { type FakeSlot, fakeSlot, noise, type Script, scriptedEngine, scriptedSlot } from '../fakes/engine.ts'
import { fakeTrainer, type TrainerScript } from '../fakes/trainer.ts'

/** The learning loop around a real store and a real registry, with a scripted engine and trainer. */
export interface House extends AsyncDisposable {
  readonly dir: string
  readonly store: Store
  readonly slot: FakeSlot
  readonly registry: Registry
  readonly learning: Learning & AsyncDisposable
  readonly trainer: ReturnType<typeof fakeTrainer>
  /** Another loop over the same store and folders, as after a restart. */
  again(change?: Partial<LearningOptions>): Promise<Learning & AsyncDisposable>
}

export interface HouseOptions {
  readonly script?: Partial<Script>
  readonly trainer?: TrainerScript
  readonly pairs?: number
  /** Options of the loop that are to differ. */
  readonly more?: Partial<LearningOptions> | ((store: Store) => Partial<LearningOptions>)
  readonly log?: Logger
  /** Tenants have versions of their own. */
  readonly apart?: boolean
  /** The slot can hold a canary; it says neither what was swapped nor what was borrowed then. */
  readonly canaries?: boolean
}

export async function openHouse({
  script = {},
  trainer: plan,
  pairs = 60,
  more,
  log = silent,
  apart = false,
  canaries = false,
}: HouseOptions = {}): Promise<House> {
  const dir = await mkdtemp(join(tmpdir(), 'hone-learning-'))
  const base = join(dir, 'base.gguf')
  await writeFile(base, 'weights')
  await writeModel(join(dir, 'model'))
  const store = await sqlite(':memory:')
  await fill(store, pairs)
  const says = { ...learned, ...script }
  const first = { id: 'v0', base }
  const own = canaries
    ? Object.assign(await scriptedSlot(first, says), { swapped: [], borrowed: [] })
    : fakeSlot(first, says)
  const registry = await openRegistry(join(dir, 'versions'))
  const versionOf = async (tenant: string) => {
    const id = await store.serving.current(tenant)
    return id ? registry.toVersion(id, base) : undefined
  }
  const load = async (version: Version) => scriptedEngine(version, says)
  const { swapped, borrowed } = own
  const slot = apart
    ? Object.assign(withTenants({ slot: own, load, versionOf, most: 2, log }), { swapped, borrowed })
    : own
  const trainer = fakeTrainer(plan)
  const options = {
    store,
    slot,
    registry,
    trainer,
    base,
    model: join(dir, 'model'),
    dataDir: dir,
    log,
    trainOn: ['web'],
    ...(typeof more === 'function' ? more(store) : more),
  }
  const learning = await createLearning(options)
  const parts = {
    dir,
    store,
    slot,
    registry,
    learning,
    trainer,
    again: (change = {}) => createLearning({ ...options, ...change }),
  } as const
  return {
    ...parts,
    async [Symbol.asyncDispose]() {
      await learning[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      await rm(dir, { recursive: true })
    },
  }
}

/** A safetensors file of two tensors: 8 bytes of length, JSON with shapes, no weights needed. */
export async function writeModel(folder: string): Promise<void> {
  const header = JSON.stringify({
    __metadata__: { format: 'pt' },
    a: { dtype: 'F32', shape: [100, 20], data_offsets: [0, 8000] },
    b: { dtype: 'F32', shape: [50], data_offsets: [8000, 8200] },
  })
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  await mkdir(folder)
  const sizes = { num_hidden_layers: 1, hidden_size: 20, intermediate_size: 40, vocab_size: 100 }
  await writeFile(join(folder, 'config.json'), JSON.stringify(sizes))
  await writeFile(join(folder, 'model.safetensors'), Buffer.concat([length, Buffer.from(header), Buffer.alloc(8200)]))
}

export const question = (n: number): readonly ChatMessage[] => [
  { role: 'system', content: 'You answer from the handbook.' },
  { role: 'user', content: `[1] Page ${n}\nIt takes ${n + 100} days.\n\nHow long does number ${n} take?` },
]

/** Thumbs for `count` questions, each answered twice: the short answer up, the long one down. */
export async function fill(store: Store, count: number, channel = 'web'): Promise<void> {
  const at = new Date('2026-05-01T10:00:00Z')
  for (let n = 0; n < count; n++) {
    const place = { tenant: channel, channel, thread: `${channel}:t${n}`, at }
    const [ask, event] = [`q-${channel}-${n}`, `event-${channel}-${n}`]
    const text = `How long does number ${n} take?`
    await store.turns.appendUser({
      ...place,
      id: ask,
      parent: null,
      role: 'user',
      text,
      person: `${channel}:anna`,
      scopes: [],
      event,
    })
    const reply = (id: string, said: string) =>
      ({
        ...place,
        id,
        parent: ask,
        role: 'assistant',
        text: said,
        version: 'v0',
        profile: 'profile-1',
        sources: [],
        usage: { prompt: 10, evaluated: 10, completion: 5 },
        prompt: question(n),
      }) as const
    const [good, bad] = [`good-${channel}-${n}`, `bad-${channel}-${n}`]
    await store.turns.appendBot(
      [reply(good, `${n + 100} days [1].`), reply(bad, `That would be ${n + 100} days, I think [1].`)],
      event,
    )
    await store.feedback.vote({ turn: good, person: `${channel}:anna`, verdict: 'up', at })
    await store.feedback.vote({ turn: bad, person: `${channel}:anna`, verdict: 'down', at })
  }
}

/** The base says the long answer, every trained version the short one, and scores agree. */
export const learned: Script = {
  score: ({ id }, _prompt, reply) => {
    const tokens = reply.split(/\s+/).length
    const plain = -tokens * (1 + noise(reply))
    const change = id === 'v0' ? 0 : /^\d+ days \[1\]\.$/.test(reply) ? 1 : /I think/.test(reply) ? -2 : -0.01
    return { logProbability: plain + change, tokens }
  },
  answer: ({ id }, prompt) => {
    const days = /takes (\d+) days/.exec(prompt.at(-1)?.content ?? '')?.[1]
    if (days === undefined) return { text: "I don't know." }
    return { text: id === 'v0' ? `That would be ${days} days, I think [1].` : `${days} days [1].` }
  },
}
