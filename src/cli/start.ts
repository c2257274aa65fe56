import { join } from 'node:path'
import { terminal } from '../../adapters/terminal/index.ts'
import type { Logger } from '../log.ts'
import { localDesk } from './desk.ts'
import { ingestOne } from './ingest.ts'
import { packageRoot } from './model.ts'
import type { Output } from './output.ts'
import type { Parts } from './parts.ts'
import { servePage, untilStopped } from './serve.ts'

/** `npm start`: the sample bot on the page and, where there is a terminal, in it too. */
export async function start(parts: Parts, output: Output, log: Logger): Promise<void> {
  output.say('Reading the sample handbook …')
  const report = await ingestOne(join(packageRoot, 'examples', 'handbook'), localDesk(parts))
  output.say(`The handbook is ready: ${report.passages} passages.`)
  const bot = await parts.bot()
  await using page = await servePage(bot, parts, log)
  output.say(`\nTalk to the bot at ${page.url}\nAs admin (retrain, promote): ${page.loginUrl}\n`)
  if (!process.stdin.isTTY) {
    await untilStopped()
    return
  }
  output.say('Or here; /help lists what you can do, /quit ends it all.\n')
  const chatting = terminal(bot, { input: process.stdin, output: process.stdout, admin: true })
  await Promise.race([chatting, untilStopped()])
}
