import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'discord.js'
import { clientOptions, discord } from '../../../adapters/discord/index.ts'
import { createBot } from '../../../src/bot.ts'
import { echo } from '../../../src/engines/echo.ts'
import { createLogger } from '../../../src/log.ts'
import type { Engine, Version } from '../../../src/ports/engine.ts'
import { parseProfile } from '../../../src/prompt/profile.ts'
import { createSlot } from '../../../src/slot.ts'
import { lockDataDir, sqlite } from '../../../src/store/index.ts'

// A bot on Discord in a process of its own, to be killed: `child.ts FOLDER API TOKEN`. Under a ShardingManager each
// shard has a folder of its own.
const [folder = '.', api = '', token = ''] = process.argv.slice(2)
const shard = process.env.SHARDS
const dir = shard === undefined ? folder : join(folder, `shard-${shard}`)
const log = createLogger('error')
const profile = parseProfile('---\nname: kill\npassages: 0\n---\nYou are Hazel.', 'kill.md')

/** An echo that takes its time, so that kills come in the middle of replies. */
function engineOf(version: Version): Engine {
  const speaker = echo({ version })
  return {
    ...speaker,
    async *generate(prompt, options) {
      for await (const delta of speaker.generate(prompt, options)) {
        await sleep(5)
        yield delta
      }
    },
  }
}

using _lock = lockDataDir(dir)
await using store = await sqlite(join(dir, 'hone.db'))
await using slot = await createSlot({ load: async (version) => engineOf(version), first: { id: 'v0', base: 'e' }, log })
await using bot = await createBot({ store, slot, profile, log, duelRate: 0.2 })
// Sharding managers tell their children which shard they are; discord.js reads it by itself.
const client = new Client({ ...clientOptions({}, { log }), rest: { api, offset: 5 } })
discord(client, bot, { markFile: join(dir, 'seen.json'), log })
await client.login(token)
writeSync(1, 'ready\n')
await new Promise(() => {})
