import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBot } from '../../src/bot.ts'
import { starterDir } from '../../src/cli/model.ts'
import { llama } from '../../src/engines/llama/index.ts'
import { silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Engine, LoadEngine, Version } from '../../src/ports/engine.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { createSlot } from '../../src/slot.ts'
import { sqlite } from '../../src/store/index.ts'
import { writeTinyModel } from '../../tests/fixtures/gguf.ts'
import { writeRandomLora } from '../lora.ts'
import { type Resident, resident } from '../memory.ts'
import { atMost, figure, median, type Result } from '../result.ts'

const streams = 8
const warmUps = 12
const swaps = 20
/** LoRAs that one process holds before the next one gets a fresh process: what is kept at most. */
const recycleAfter = 4
/** Two rounds of recycling: a level that doesn't hang on how many LoRAs the process has just now. */
const window = 2 * recycleAfter
/** What allocators take and give back by themselves. */
const slackMb = 16

const profile = parseProfile(
  '---\nname: bench\npassages: 0\nsampling: { maxTokens: 96, temperature: 0.8 }\n---\nYou are Hazel, the assistant of Alder & Finch.',
  'bench.md',
)

/** Eight people are answered all the time while the version is swapped twenty times. */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  const dir = await mkdtemp(join(tmpdir(), 'hone-swap-'))
  try {
    const starter = join(starterDir, 'starter.gguf')
    const model = existsSync(starter) ? starter : writeTinyModel(join(dir, 'tiny.gguf'), { width: 128 })
    say(`${streams} replies at a time, ${warmUps} swaps to warm up and ${swaps} that count, on ${model}`)
    return await underLoad(dir, model, say)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function underLoad(dir: string, model: string, say: (text: string) => void): Promise<readonly Result[]> {
  const versions: Version[] = []
  for (let n = 1; n <= warmUps + swaps; n++)
    versions.push({ id: `v${n}`, base: model, lora: await writeRandomLora(model, join(dir, `v${n}.gguf`), n) })
  await using host = llama({ modelPath: model, log: silent, parallel: streams, contextTokens: 1024, recycleAfter })
  await using store = await sqlite(join(dir, 'swap.db'))
  const watch = watched(host.load)
  await using slot = await createSlot({ load: watch.load, first: { id: 'v0', base: model }, log: silent })
  await using bot = await createBot({ store, slot, profile, log: silent })
  const talk = talking(bot, watch)
  const calm = await gapsOf(talk, 2 * streams)
  const levels: Resident[] = []
  const took: number[] = []
  for (const [n, version] of versions.entries()) {
    if (n === warmUps) talk.reset()
    const started = performance.now()
    await slot.swap(version)
    took.push(performance.now() - started)
    await talk.replies(2)
    levels.push(await resident())
    if (n % 8 === 7) say(`${n + 1} swaps, ${Math.round(total(levels.at(-1)))} MB`)
  }
  const { gaps, failed, changed, count, served } = await talk.end()
  const totals = levels.map(total)
  const growth = median(totals.slice(-window)) - median(totals.slice(warmUps - window, warmUps))
  const kept = (recycleAfter * (await stat(join(dir, 'v1.gguf'))).size) / 2 ** 20
  return [
    atMost('swap.failed', failed.length, 0, 'replies', failed),
    atMost('swap.changed-midway', changed, 0, 'replies'),
    figure('swap.replies', count, 'replies', { versions: served }),
    atMost('swap.memory-growth', growth, Math.ceil(kept + slackMb), 'MB', levels),
    figure('swap.loras-kept', kept, 'MB', `the goal of the growth adds ${slackMb} MB for the allocators`),
    figure('swap.gap-p99', percentile(gaps, 0.99), 'ms', { calm: percentile(calm, 0.99) }),
    figure('swap.load-to-flip', median(took.slice(warmUps)), 'ms'),
  ]
}

function total(level: Resident | undefined): number {
  return (level?.own ?? Number.NaN) + (level?.below ?? Number.NaN)
}

/** Which engine served which thread, and whether it was there to the end. */
interface Watch {
  readonly load: LoadEngine
  /** Versions of the engines that generated for a thread; more than one, or one taken away, is a change midway. */
  readonly served: Map<string, readonly string[]>
}

function watched(load: LoadEngine): Watch {
  const served = new Map<string, readonly string[]>()
  return {
    served,
    async load(version) {
      const inner = await load(version)
      let disposed = false
      const engine: Engine = {
        ...inner,
        async *generate(prompt, options = {}) {
          const thread = options.cacheKey ?? ''
          served.set(thread, [...(served.get(thread) ?? []), version.id])
          yield* inner.generate(prompt, options)
          if (disposed) served.set(thread, [...(served.get(thread) ?? []), 'disposed'])
        },
        async [Symbol.asyncDispose]() {
          disposed = true
          await inner[Symbol.asyncDispose]()
        },
      }
      return engine
    },
  }
}

interface Talk {
  /** Resolves after so many more replies. */
  replies(count: number): Promise<void>
  /** Forgets the figures so far. */
  reset(): void
  end(): Promise<Figures>
}
interface Figures {
  /** Milliseconds between two pieces of one reply. */
  readonly gaps: number[]
  readonly failed: string[]
  changed: number
  count: number
  served: number
}

/** Keeps all the streams busy with one question after the other. */
function talking(bot: Bot, { served }: Watch): Talk & { readonly gaps: () => readonly number[] } {
  const fresh = (): Figures => ({ gaps: [], failed: [], changed: 0, count: 0, served: 0 })
  let figures = fresh()
  let going = true
  let asked = 0
  const used = new Set<string>()
  const waiting: { left: number; readonly resolve: () => void }[] = []

  async function one(): Promise<void> {
    const thread = `bench:${++asked}`
    let last = 0
    for await (const event of bot.ask(`What does rule ${asked} of the handbook say, and since when?`, { thread })) {
      if (event.kind === 'delta') {
        const now = performance.now()
        if (last > 0) figures.gaps.push(now - last)
        last = now
      }
      if (event.kind === 'error') figures.failed.push(`${event.code}: ${event.message}`)
      if (event.kind === 'done') {
        const [version, ...more] = served.get(thread) ?? []
        used.add(event.reply.version)
        if (more.length > 0 || version !== event.reply.version) figures.changed += 1
      }
    }
    figures.count += 1
    for (const waiter of [...waiting]) {
      waiter.left -= 1
      if (waiter.left > 0) continue
      waiting.splice(waiting.indexOf(waiter), 1)
      waiter.resolve()
    }
  }
  const all = Promise.all(
    Array.from({ length: streams }, async () => {
      while (going) await one()
    }),
  )
  return {
    gaps: () => figures.gaps,
    replies: (left) => new Promise((resolve) => waiting.push({ left, resolve })),
    reset() {
      figures = fresh()
      used.clear()
    },
    async end() {
      going = false
      await all
      return { ...figures, served: used.size }
    },
  }
}

/** The gaps while nothing is swapped. */
async function gapsOf(
  talk: Talk & { readonly gaps: () => readonly number[] },
  count: number,
): Promise<readonly number[]> {
  await talk.replies(count)
  return [...talk.gaps()]
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
