import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { endpoint } from '../../../adapters/teams/index.ts'
import { openBench } from '../../fakes/teams/bench.ts'
import { tenant } from '../../fakes/teams/chat.ts'
import { agents, botbuilder } from '../../fakes/teams/hosts.ts'
import { quietConsole } from '../../fakes/teams/quiet.ts'

for (const [name, open] of Object.entries({ botbuilder, agents })) {
  describe(`Teams on an Express server (${name})`, () => {
    quietConsole()
    it('answers a message, and refuses what is forged or malformed without ending the process', async () => {
      await using bench = await openBench(open)
      const server = express()
        .post('/api/messages', express.json(), endpoint(bench.host.adapter as never, { tenants: [tenant] }))
        .listen(0, '127.0.0.1')
      await once(server, 'listening')
      try {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/messages`
        const activity = {
          type: 'message',
          id: 'e1',
          text: 'Hello',
          channelId: 'msteams',
          serviceUrl: bench.connector.url,
          from: { id: '29:Anna', name: 'Anna', aadObjectId: 'aad-anna' },
          recipient: { id: '28:hone', name: 'Hone' },
          conversation: { id: 'a:anna', conversationType: 'personal', tenantId: tenant },
        }
        const post = async (body: unknown, token = '') => {
          const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) }
          return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status
        }
        const token = bench.connector.issuer.token()
        assert.equal(await post({}), 400)
        assert.equal(await post(activity), 401)
        assert.equal(await post(activity, bench.connector.issuer.token({ foreignKey: true })), 401)
        const elsewhere = { ...activity, conversation: { ...activity.conversation, tenantId: 'another' } }
        assert.equal(await post(elsewhere, token), 403)
        assert.deepEqual(bench.bot.received, [])
        assert.equal(await post(activity, token), 200)
        assert.equal((await bench.chat().answered()).activity.text, 'You said: Hello')
      } finally {
        server.closeAllConnections()
        server.close()
      }
    })
  })
}
