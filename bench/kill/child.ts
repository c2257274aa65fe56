// The real core in a process that is made to be killed: `node child.ts FOLDER`. Orders come on stdin, answers go to stdout.
import { existsSync, writeSync } from 'node:fs'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createBot } from '../../src/bot.ts'
import { echo } from '../../src/engines/echo.ts'
import { asHoneError } from '../../src/errors.ts'
import { newId } from '../../src/id.ts'
import { silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Inbound, ReplyEvent } from '../../src/ports/channel.ts'
import type { Engine, Version } from '../../src/ports/engine.ts'
import type { Learning } from '../../src/ports/learning.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { createSlot } from '../../src/slot.ts'
import { lockDataDir, sqlite } from '../../src/store/index.ts'
import { scriptedEngine } from '../../tests/fakes/engine.ts'
import { fakeTrainer } from '../../tests/fakes/trainer.ts'
import { fill, learned, writeModel } from '../../tests/training/house.ts'
import { createLearning, openRegistry } from '../../training/index.ts'
import type { Order, Said } from './protocol.ts'

const dir = process.argv[2] ?? '.'
const versions = join(dir, 'versions')
const base = join(dir, 'base.gguf')
const profile = parseProfile('---\nname: kill\npassages: 0\n---\nYou are Hazel.', 'kill.md')
// A write to a pipe is whole, and read by the parent even if this process is killed right after it.
const say = (said: Said): void => void writeSync(1, `${JSON.stringify(said)}\n`)

say({ kind: 'opening' })
using _lock = lockDataDir(dir)
if (!existsSync(base)) {
  await writeModel(join(dir, 'model')).catch(() => {})
  await writeFile(base, 'weights')
}
await using store = await sqlite(join(dir, 'hone.db'))
await fill(store, 60)
await using slot = await createSlot({
  load: async (version) => engineOf(version),
  first: { id: 'v0', base },
  log: silent,
})
const registry = await openRegistry(versions)
await using learning = await createLearning({
  store,
  slot,
  registry,
  trainer: fakeTrainer({ steps: 12, onStep: pause }),
  base,
  model: join(dir, 'model'),
  dataDir: dir,
  log: silent,
  trainOn: ['web'],
})
await using bot = await createBot({ store, slot, profile, log: silent, learning, duelRate: 0.3 })
const running = (await store.jobs.list(100)).filter(({ state }) => state === 'running').length
say({ kind: 'ready', running, half: await halfMade() })
bot.attach({
  name: 'web',
  duels: true,
  async deliver(event, events) {
    let last: ReplyEvent | undefined
    for await (const one of events) last = one
    if (last?.kind === 'done') say({ kind: 'told', event: event.id, turns: [last.reply.turn] })
    if (last?.kind === 'duel') {
      say({ kind: 'told', event: event.id, turns: [last.left.turn, last.right.turn], duel: last.duel })
    }
    return [{ thread: event.thread, id: event.id }]
  },
})
for await (const line of createInterface({ input: process.stdin })) void obey(JSON.parse(line) as Order)

/** What an order asks for, and its answer once that is done. */
async function obey(order: Order): Promise<void> {
  try {
    await carryOut(order, bot, learning)
    say({ kind: 'done', n: order.n })
  } catch (error) {
    say({ kind: 'failed', n: order.n, code: asHoneError(error, 'STORE', 'kill').code })
  }
}

async function carryOut(order: Order, to: Bot, trainer: Learning): Promise<void> {
  if (order.kind === 'receive') await to.receive({ ...order.event, at: new Date(order.event.at) } as Inbound)
  if (order.kind === 'feedback') await to.feedback(order.event)
  if (order.kind === 'train') await trainer.start('web:admin')
  if (order.kind === 'drain') while ((await to.store.inbox.unsettled()).length > 0) await pause()
}

/** Waits for something real: the file system. */
async function pause(): Promise<void> {
  await readdir(dir)
  await stat(base)
}

/** Answers the people in an echo that never comes out the same twice, and the gate as a model that has learned. */
function engineOf(version: Version): Engine {
  const speaker = echo({ version })
  const trained = scriptedEngine(version, learned)
  return {
    ...trained,
    async *generate(prompt, options = {}) {
      if (!options.cacheKey) return yield* trained.generate(prompt, options)
      yield { kind: 'text', text: `${newId('r')} ` }
      for await (const delta of speaker.generate(prompt, options)) {
        await pause()
        yield delta
      }
    },
  }
}

/** Folders of versions that are there but do not exist. */
async function halfMade(): Promise<readonly string[]> {
  await mkdir(versions, { recursive: true })
  const whole = new Set((await registry.list()).map(({ manifest }) => manifest.id))
  return (await readdir(versions)).filter((name) => /^v\d+$/.test(name) && !whole.has(name))
}
