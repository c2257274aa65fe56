import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { webApi } from '@slack/bolt'
import { createApi } from '../../../adapters/slack/api.ts'
import { silent } from '../../../src/log.ts'

const where = { team: 'T1', channel: 'C1' }

/** A Slack that hears every call, and breaks the connection before it answers the first. */
async function forgetful() {
  let heard = 0
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      heard += 1
      if (heard === 1) return request.socket.destroy()
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const slackApiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`
  const client = new webApi.WebClient('xoxb-1', {
    slackApiUrl,
    retryConfig: { retries: 0 },
    logLevel: 'error' as never,
  })
  const api = createApi({ clientOf: () => client, log: silent, wait: async () => undefined })
  const close = () => new Promise((resolve) => server.close(resolve))
  return { api, heard: () => heard, [Symbol.asyncDispose]: async () => void (await close()) }
}

describe('a call to Slack whose connection breaks', () => {
  it('is not repeated when that would say something twice', async () => {
    await using slack = await forgetful()
    const append = slack.api.call('chat.appendStream', where, (client) =>
      client.chat.appendStream({ channel: 'C1', ts: '1.1', markdown_text: 'once' }),
    )
    await assert.rejects(append, { code: 'slack_webapi_request_error' })
    assert.equal(slack.heard(), 1)
  })

  it('is repeated when it does no harm', async () => {
    await using slack = await forgetful()
    await slack.api.call('chat.update', where, (client) => client.chat.update({ channel: 'C1', ts: '1.1', text: 'x' }))
    assert.equal(slack.heard(), 2)
  })
})
