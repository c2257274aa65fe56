// The real core behind an SDK, made to be killed: `node child.ts FOLDER CONNECTOR-URL ISSUER SDK`. Says its port on stdout.
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { teams } from '../../../../adapters/teams/index.ts'
import { openKillable } from '../../../fakes/killable.ts'
import type { OpenHost } from '../../../fakes/teams/host.ts'
import { appId } from '../../../fakes/teams/ids.ts'
import { times } from './times.ts'

const [dir = '.', url = '', name = '', sdk = ''] = process.argv.slice(2)
// Only the one that is needed: a process that is killed has no time to load the other.
const open: OpenHost =
  sdk === 'botbuilder'
    ? (await import('../../../fakes/teams/botbuilder.ts')).botbuilder
    : (await import('../../../fakes/teams/agents.ts')).agents
await using house = await openKillable(dir)
const { bot, store } = house
const host = open({ url, issuer: { name } })
const wait = (ms: number) => sleep(ms / times)
const clock = { now: () => performance.now() * times, wait, alarm: wait }
const trust = { issuers: [name], serviceHosts: ['127.0.0.1'], serviceUrl: url, appId }
host.use(teams(bot, { adapter: host.adapter, clock, ...trust }))
serve({ fetch: host.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => process.stdout.write(`${port}\n`))
// Ends in peace when the parent closes its end and all is answered.
for await (const _ of process.stdin);
while ((await store.inbox.unsettled()).length > 0) await sleep(20)
process.exit(0)
