import { once, terminal } from '../../adapters/terminal/index.ts'
import { starterNotice } from './model.ts'
import type { Output } from './output.ts'
import type { Parts } from './parts.ts'

/** `hone chat`: a conversation in the terminal; with `--once TEXT` one reply. */
export async function chat(text: string | undefined, parts: Parts, output: Output): Promise<void> {
  const bot = await parts.bot()
  if (text !== undefined) {
    await once(bot, text, { output: process.stdout, json: output.json })
    return
  }
  if (parts.model().starter) output.say(starterNotice)
  await terminal(bot, { input: process.stdin, output: process.stdout, admin: true })
}
