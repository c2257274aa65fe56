import { join } from 'node:path'
import { createBot } from '../../src/bot.ts'
import { echo } from '../../src/engines/echo.ts'
import { silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Store } from '../../src/ports/store.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { createSlot } from '../../src/slot.ts'
import { lockDataDir, sqlite } from '../../src/store/index.ts'

/** The real core on a data folder, for a child process that a test kills. */
export interface Killable extends AsyncDisposable {
  readonly bot: Bot
  readonly store: Store
}

/** Opens the core as a channel's kill test needs it: everything on disk, an echo for a model. */
export async function openKillable(dir: string): Promise<Killable> {
  await using stack = new AsyncDisposableStack()
  stack.use(lockDataDir(dir))
  const store = stack.use(await sqlite(join(dir, 'hone.db')))
  const profile = parseProfile('---\nname: kill\npassages: 0\n---\nYou are Hazel.', 'kill.md')
  const first = { id: 'v0', base: 'echo' }
  const slot = stack.use(await createSlot({ load: async (version) => echo({ version }), first, log: silent }))
  const bot = stack.use(await createBot({ store, slot, profile, log: silent }))
  const opened = stack.move()
  return { bot, store, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}
