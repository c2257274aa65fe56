import assert from 'node:assert/strict'
import { botScopes, manifestLink, slackManifest } from '../../../adapters/slack/index.ts'
import { printManifest } from '../../../src/cli/manifest.ts'
import type { Output } from '../../../src/cli/output.ts'
import { openSlack, slackFindings } from '../../../src/cli/slack.ts'
import { fileReader } from '../../../src/cli/slack-files.ts'
import { readConfig } from '../../../src/config.ts'
import { silent } from '../../../src/log.ts'
import type { Knowledge, KnowledgeDocument } from '../../../src/ports/knowledge.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { sign, signingSecret } from '../../fakes/slack/http.ts'
import { type FakeSlack, type FakeSlackOptions, fakeSlack } from '../../fakes/slack/index.ts'
import { directMessage } from '../../fakes/slack/payloads.ts'

const socket = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1' }
const http = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_SIGNING_SECRET: signingSecret }
const config = (server: FakeSlack, env: Record<string, string>) => readConfig({ ...env, HONE_SLACK_API: server.url })
const none = async (): Promise<never> => Promise.reject(new Error('not asked for'))
const hello = directMessage({ text: 'Hello?', ts: '1763900001.000100' })

describe('hone serve with Slack', () => {
  it('does nothing about Slack when nothing is set', async () => {
    assert.equal(await openSlack(fakeBot(), readConfig({}), silent, none), undefined)
  })

  it('says what is missing when it is configured by half', async () => {
    await assert.rejects(openSlack(fakeBot(), readConfig({ SLACK_APP_TOKEN: 'xapp-1' }), silent, none), {
      code: 'CONFIG',
      message: /SLACK_BOT_TOKEN/,
    })
    await assert.rejects(openSlack(fakeBot(), readConfig({ SLACK_BOT_TOKEN: 'xoxb-1' }), silent, none), {
      code: 'CONFIG',
      message: /SLACK_APP_TOKEN/,
    })
    assert.throws(
      () => readConfig({ SLACK_BOT_TOKEN: 'secret-but-wrong' }),
      (error: Error) => /SLACK_BOT_TOKEN/.test(error.message) && !error.message.includes('secret-but-wrong'),
    )
  })

  it('says so when Slack refuses the token', async () => {
    await using server = await fakeSlack({ refuse: (method) => (method === 'auth.test' ? 'invalid_auth' : undefined) })
    await assert.rejects(openSlack(fakeBot(), config(server, socket), silent, none), {
      code: 'CONFIG',
      message: /invalid_auth/,
    })
  })

  it('talks over Socket Mode, lets no other workspace in, and hangs up at the end', async () => {
    await using server = await fakeSlack()
    const bot = fakeBot()
    await using served = await openSlack(bot, config(server, socket), silent, none)
    assert.match(served?.name ?? '', /Socket Mode/)
    await server.socket.send('events_api', hello)
    await bot.idle()
    assert.equal(server.space.messages[0]?.text, 'You said: Hello?')
    await server.socket.send('events_api', hello, 1)
    await bot.idle()
    assert.equal(server.space.messages.length, 1)
    const foreign = directMessage({ text: 'Let me in', ts: '1763900009.000100' })
    await server.socket.send('events_api', { ...foreign, team_id: 'TEVIL', authorizations: [{ team_id: 'TEVIL' }] })
    assert.equal(bot.received.length, 2)
    await served?.[Symbol.asyncDispose]()
    await server.until(() => !server.socket.connected)
  })

  for (const how of ['recycle', 'drop'] as const) {
    it(`loses and doubles nothing over a ${how} of the connection in the middle of a reply`, async () => {
      await using server = await fakeSlack()
      const held = Promise.withResolvers<void>()
      const bot = fakeBot({ script: (text) => ({ chunks: ['You said: ', held.promise, text] }) })
      await using _ = await openSlack(bot, config(server, socket), silent, none)
      await server.socket.send('events_api', hello)
      await server.until(() => server.space.messages.length === 1)
      server.socket[how]()
      await server.until(() => server.socket.connections === 2 && server.socket.connected)
      await server.socket.send('events_api', hello, 1)
      await server.socket.send('events_api', directMessage({ text: 'And now?', ts: '1763900005.000100' }))
      held.resolve()
      await bot.idle()
      assert.deepEqual(
        server.space.messages.map(({ text }) => text),
        ['You said: Hello?', 'You said: And now?'],
      )
    }).timeout(15_000)
  }

  it('talks over HTTP on Hone’s own port', async () => {
    await using server = await fakeSlack()
    const bot = fakeBot()
    await using served = await openSlack(bot, config(server, http), silent, none)
    const { body, headers } = sign(JSON.stringify(hello))
    const response = await served?.fetch?.(
      new Request('http://127.0.0.1/slack/events', { method: 'POST', body, headers }),
    )
    assert.equal(response?.status, 200)
    await bot.idle()
    assert.equal(server.space.messages[0]?.text, 'You said: Hello?')
    assert.equal(await served?.fetch?.(new Request('http://127.0.0.1/')), undefined)
  })
})

describe('hone doctor about Slack', () => {
  const findings = async (options: FakeSlackOptions, env: Record<string, string> = socket) => {
    await using server = await fakeSlack(options)
    return await slackFindings(config(server, env), silent)
  }

  it('is silent without Slack', async () => assert.deepEqual(await findings({}, {}), []))

  it('names each missing scope as the line of the manifest', async () => {
    const [token] = await findings({
      scopes: botScopes()
        .filter((scope) => scope !== 'im:history')
        .join(','),
    })
    assert.equal(token?.ok, false)
    assert.match(token?.detail ?? '', /oauth_config\.scopes\.bot: im:history$/)
  })

  it('is content when every scope is granted, and says what becomes of votes', async () => {
    const all = await findings({ scopes: botScopes().join(',') })
    assert.ok(
      all.every(({ ok }) => ok),
      JSON.stringify(all),
    )
    assert.match(JSON.stringify(all), /nothing from Slack is trained on/)
  })

  it('says which token Slack refuses', async () => {
    const [token] = await findings({ refuse: () => 'token_revoked' })
    assert.match(token?.detail ?? '', /SLACK_BOT_TOKEN: token_revoked/)
  })
})

describe('the Slack manifest', () => {
  it('asks for no more than what is switched on', () => {
    const scopes = slackManifest().oauth_config.scopes.bot
    for (const scope of ['reactions:read', 'usergroups:read', 'files:read', 'users:read'])
      assert.ok(!scopes.includes(scope), scope)
    const more = slackManifest({ reactions: true, userGroups: true }).oauth_config.scopes.bot
    for (const scope of ['reactions:read', 'usergroups:read']) assert.ok(more.includes(scope), scope)
  })

  it('uses Socket Mode, or one address for everything', () => {
    assert.equal(slackManifest().settings.socket_mode_enabled, true)
    const url = 'https://bot.example/slack/events'
    const made = slackManifest({ url })
    assert.equal(made.settings.socket_mode_enabled, false)
    assert.equal(JSON.stringify(made).split(url).length - 1, 3)
  })

  it('keeps Slack’s limits, and fits into the link that makes the app', () => {
    const made = slackManifest({ prompts: ['a', 'b', 'c', 'd', 'e'] })
    assert.ok(made.features.agent_view.agent_description.length <= 300)
    assert.equal(made.features.agent_view.suggested_prompts.length, 4)
    assert.ok(made.display_information.description.length <= 140)
    const link = manifestLink(made)
    assert.ok(link.length < 8000)
    assert.deepEqual(
      JSON.parse(new URL(link).searchParams.get('manifest_json') ?? ''),
      JSON.parse(JSON.stringify(made)),
    )
  })

  it('is printed by `hone manifest slack`, and no other name is taken', () => {
    const results: string[] = []
    const output: Output = { json: false, result: (text) => void results.push(text), say: () => undefined }
    printManifest('slack', readConfig({ HONE_SLACK_COMMAND: '/desk' }), output, {})
    assert.equal(JSON.parse(results[0] ?? '').features.slash_commands[0].command, '/desk')
    assert.throws(() => printManifest('irc', readConfig({}), output, {}), { code: 'INPUT' })
  })
})

describe('a file from Slack', () => {
  const bytes = new TextEncoder().encode('# Parking\n\nPark in the yard behind the house.\n')
  const shared = { id: 'F1', name: '../../etc/parking.md', bytes, tenant: 'slack:T1', scope: 'slack:T1:C1' }
  const keeping = (kept: KnowledgeDocument[]) =>
    fileReader(
      async () =>
        ({
          add: async (documents: readonly KnowledgeDocument[]) => ({ passages: kept.push(...documents) }),
        }) as unknown as Knowledge,
    )

  it('becomes a document of its channel, under its own id and no path', async () => {
    const kept: KnowledgeDocument[] = []
    assert.equal(await keeping(kept)(shared), 1)
    const [document] = kept
    assert.deepEqual([document?.tenant, document?.scope], ['slack:T1', 'slack:T1:C1'])
    assert.match(document?.id ?? '', /^slack:T1:C1\/F1\/[^/]*parking\.md$/)
    assert.match(document?.text ?? '', /behind the house/)
  })

  it('that can’t be read says why', async () => {
    await assert.rejects(keeping([])({ ...shared, name: 'x.pdf' }), { code: 'DOCUMENT' })
  })
})
