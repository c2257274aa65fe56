// A process for a test that kills it: `node tools-child.ts FOLDER [hang]` answers a message with a tool that adds a line
// to FOLDER/used. With `hang` it says "used" once that is kept, and its reply never comes.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { createBot } from '../../src/bot.ts'
import { silent } from '../../src/log.ts'
import type { EngineSlot, JsonSchema } from '../../src/ports/engine.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { sqlite } from '../../src/store/index.ts'
import { inbound } from '../contracts/store/samples.ts'
import { fakeSlot } from '../fakes/engine.ts'

const [, , dir = '', mode] = argv
await using store = await sqlite(join(dir, 'hone.db'))
const look = { name: 'look', description: 'Looks', schema: { type: 'object', properties: {} } }
const call = async () => {
  appendFileSync(join(dir, 'used'), 'used\n')
  return 'it rains'
}
let choices = 0
const slot = fakeSlot(
  { id: 'v0', base: 'scripted' },
  {
    fill: (_, { properties = {} }: JsonSchema) =>
      'word' in (properties as object) ? { word: 'larch' } : { tool: choices++ === 0 ? 'look' : 'none' },
    answer: (_, prompt) => ({ text: prompt.at(-1)?.content ?? '' }),
  },
)
const hanging: EngineSlot = {
  ...slot,
  version: slot.version,
  use: (work) => slot.use((engine) => work(mode === 'hang' ? { ...engine, generate: hang } : engine)),
}
async function* hang(): AsyncGenerator<never> {
  process.stdout.write('used\n')
  setInterval(() => {}, 1000)
  await new Promise(() => {})
}
const profile = parseProfile('---\nname: desk\ntools: { look: { for: everybody, changes: false } }\n---\n', 'desk.md')
const bot = await createBot({ store, slot: hanging, profile, tools: [{ ...look, call }], log: silent })
const told = Promise.withResolvers<void>()
bot.attach({
  name: 'web',
  async deliver(_, events) {
    for await (const event of events)
      if (event.kind === 'done') process.stdout.write(`${JSON.stringify(event.reply.text)}\n`)
    told.resolve()
    return []
  },
})
if (mode === 'hang') await bot.receive(inbound('e1', { text: 'How is the weather?' }))
await told.promise
await bot[Symbol.asyncDispose]()
