import { commandsOf } from '../../src/id.ts'
import type { CommandRequest } from '../../src/ports/bot.ts'
import type { Store } from '../../src/ports/store.ts'

/** A command, and the id that the platform has for it, namespaced: the same id again is the same command. */
export type Given = Pick<CommandRequest, 'text' | 'tenant' | 'channel' | 'thread' | 'person'> & { readonly id: string }

/**
 * Does a command once, to whichever process it is sent again, and keeps it on disk until `work` is over: that is, until
 * its answer was shown, or it failed. One that a crash cuts short is not done again; the core tells the person what became of it.
 *
 * @returns false for a command that came before: nothing was done.
 * @example await once(bot.store, { id, text, ...where }, async () => say((await bot.command({ text, ...where })).text))
 */
export async function once(
  { inbox }: Store,
  { id, channel, text, tenant, thread, person }: Given,
  work: () => Promise<unknown>,
): Promise<boolean> {
  const where = { channel: commandsOf(channel), tenant, thread, person, scopes: [] }
  if (!(await inbox.claim({ kind: 'message', id, text, at: new Date(), ...where }))) return false
  let outcome: 'answered' | 'given-up' = 'given-up'
  try {
    await work()
    outcome = 'answered'
  } finally {
    await inbox.settle(id, outcome)
  }
  return true
}
