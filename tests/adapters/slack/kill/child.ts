// The real core behind the real Bolt, made to be killed: `node child.ts FOLDER SLACK-URL`. Says its port on stdout.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { App } from '@slack/bolt'
import { slack, slackHttp } from '../../../../adapters/slack/index.ts'
import { createBot } from '../../../../src/bot.ts'
import { echo } from '../../../../src/engines/echo.ts'
import { silent } from '../../../../src/log.ts'
import { parseProfile } from '../../../../src/prompt/profile.ts'
import { createSlot } from '../../../../src/slot.ts'
import { lockDataDir, sqlite } from '../../../../src/store/index.ts'
import { signingSecret } from '../../../fakes/slack/http.ts'

const [dir = '.', url = ''] = process.argv.slice(2)
const profile = parseProfile('---\nname: kill\npassages: 0\n---\nYou are Hazel.', 'kill.md')
using _lock = lockDataDir(dir)
await using store = await sqlite(join(dir, 'hone.db'))
await using slot = await createSlot({
  load: async (version) => echo({ version }),
  first: { id: 'v0', base: 'echo' },
  log: silent,
})
await using bot = await createBot({ store, slot, profile, log: silent })
const receiver = slackHttp({ signingSecret, teams: ['T1'] })
const clientOptions = { slackApiUrl: url, rejectRateLimitedCalls: true, retryConfig: { retries: 0 } }
const app = new App({ receiver, token: 'xoxb-kill', clientOptions, logLevel: 'error' as never })
// Slack's limits have their own test: here its minutes pass quickly, as the events come faster than any workspace's.
slack(app, bot, { now: () => performance.now() * 100, wait: (ms) => sleep(ms / 100) })
const fetch = async (request: Request) => (await receiver.fetch(request)) ?? new Response(null, { status: 404 })
serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => process.stdout.write(`${port}\n`))
// Ends in peace when the parent closes its end and all is answered.
for await (const _ of process.stdin);
while ((await store.inbox.unsettled()).length > 0) await new Promise(setImmediate)
process.exit(0)
