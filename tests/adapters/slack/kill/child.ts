// The real core behind the real Bolt, made to be killed: `node child.ts FOLDER SLACK-URL`. Says its port on stdout.
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { App } from '@slack/bolt'
import { slack, slackHttp } from '../../../../adapters/slack/index.ts'
import { openKillable } from '../../../fakes/killable.ts'
import { signingSecret } from '../../../fakes/slack/http.ts'

const [dir = '.', url = ''] = process.argv.slice(2)
await using house = await openKillable(dir)
const { bot, store } = house
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
