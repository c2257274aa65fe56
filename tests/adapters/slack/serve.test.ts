import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import type { webApi } from '@slack/bolt'
import { botScopes, manifestLink, slackManifest } from '../../../adapters/slack/index.ts'
import { printManifest } from '../../../src/cli/manifest.ts'
import type { Output } from '../../../src/cli/output.ts'
import { openSlack } from '../../../src/cli/slack.ts'
import { slackFindings } from '../../../src/cli/slack-doctor.ts'
import { fileReader } from '../../../src/cli/slack-files.ts'
import { readConfig } from '../../../src/config.ts'
import { silent } from '../../../src/log.ts'
import type { Knowledge, KnowledgeDocument } from '../../../src/ports/knowledge.ts'
import { parseProfile } from '../../../src/prompt/profile.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { sign, signingSecret } from '../../fakes/slack/http.ts'
import { type FakeSlack, type FakeSlackOptions, fakeSlack } from '../../fakes/slack/index.ts'
import { directMessage, homeOpened } from '../../fakes/slack/payloads.ts'

const socket = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1' }
const http = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_SIGNING_SECRET: signingSecret }
const config = (server: FakeSlack, env: Record<string, string>) => readConfig({ ...env, HONE_SLACK_API: server.url })
const profile = parseProfile('---\nname: desk\nstarters: [How do I take leave?]\n---\nYou are the desk.', 'desk.md')
const none = {
  knowledge: async (): Promise<never> => Promise.reject(new Error('not asked for')),
  profiles: async () => ({ serving: profile }),
}
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

  it('leaves unacknowledged over Socket Mode what could not be kept, and takes it when it comes again', async () => {
    await using server = await fakeSlack()
    const bot = fakeBot()
    let full = true
    const receive: typeof bot.receive = async (event) => (full ? Promise.reject(new Error('full')) : bot.receive(event))
    await using _ = await openSlack({ ...bot, receive }, config(server, socket), silent, none)
    await assert.rejects(server.socket.send('events_api', hello), /not acknowledged/)
    full = false
    await server.socket.send('events_api', hello, 1)
    await bot.idle()
    assert.equal(server.space.messages[0]?.text, 'You said: Hello?')
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
    })
  }

  it('offers the profile’s starters where a conversation begins', async () => {
    await using server = await fakeSlack()
    await using _ = await openSlack(fakeBot(), config(server, socket), silent, none)
    await server.socket.send('events_api', homeOpened('messages'))
    await server.until(() => server.space.prompts.length > 0)
    assert.match(JSON.stringify(server.space.prompts[0]), /How do I take leave\?/)
  })

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

  const configured = { ...socket, SLACK_APP_TOKEN: 'xapp-1-A1-2-3', SLACK_CONFIG_TOKEN: 'xoxe.xoxp-1' }
  const compared = async (manifest: object, env: Record<string, string> = configured) =>
    (await findings({ answers: { 'apps.manifest.export': { manifest } } }, env)).find(
      ({ what }) => what === 'Slack manifest',
    )

  it('names each event, command and switch that the app lacks as the line of its manifest', async () => {
    const { features, settings, ...rest } = structuredClone(slackManifest())
    const whole = await compared({ features, settings, ...rest })
    assert.equal(whole?.ok, true, whole?.detail)
    const bot_events = settings.event_subscriptions.bot_events.filter((name) => name !== 'message.im')
    const worse = {
      ...{ ...rest, features: { ...features, slash_commands: [], app_home: { home_tab_enabled: true } } },
      settings: { ...settings, socket_mode_enabled: false, event_subscriptions: { bot_events } },
    }
    const found = await compared(worse)
    assert.equal(found?.ok, false)
    assert.deepEqual(
      found?.detail
        .split('\n')
        .slice(1)
        .map((line) => line.trim()),
      [
        'features.app_home.messages_tab_enabled: true',
        'features.slash_commands: {"command":"/hone"}',
        'settings.event_subscriptions.bot_events: message.im',
        'settings.socket_mode_enabled: true',
      ],
    )
  })

  it('says what it needs to compare the manifest, and claims nothing without', async () => {
    const without = (await findings({})).find(({ what }) => what === 'Slack manifest')
    assert.match(without?.detail ?? '', /not compared: set SLACK_CONFIG_TOKEN.*message\.im/)
    const appless = await compared({}, { ...http, SLACK_CONFIG_TOKEN: 'xoxe.xoxp-1' })
    assert.match(appless?.detail ?? '', /SLACK_APP_ID/)
    const refused = (await findings({}, configured)).find(({ what }) => what === 'Slack manifest')
    assert.match(refused?.detail ?? '', /SLACK_CONFIG_TOKEN: invalid_app/)
  })

  it('asks the public address over HTTP what Slack asks, and tells whether it is this bot', async () => {
    await using slack = await fakeSlack({ scopes: botScopes().join(',') })
    await using served = await openSlack(fakeBot(), config(slack, http), silent, none)
    const own = async (request: Request) => (await served?.fetch?.(request)) ?? new Response(null, { status: 404 })
    const server = serve({ fetch: own, port: 0, hostname: '127.0.0.1' })
    if (!server.listening) await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const finding = async (env: Record<string, string>) =>
      (await slackFindings(config(slack, { ...http, ...env }), silent)).find(({ what }) => what === 'Slack endpoint')
    const at = `${url}/slack/events`
    assert.deepEqual(await finding({ HONE_SLACK_URL: at }), {
      ...{ what: 'Slack endpoint', ok: true },
      detail: `${at} is this bot, with the same signing secret`,
    })
    const other = await finding({ HONE_SLACK_URL: at, SLACK_SIGNING_SECRET: 'another' })
    assert.match(`${other?.ok} ${other?.detail}`, /^false .* answers 401: The signature is wrong/)
    assert.match((await finding({ HONE_SLACK_URL: `${url}/` }))?.detail ?? '', /answers 404; is `hone serve` behind it/)
    assert.match((await finding({}))?.detail ?? '', /set HONE_SLACK_URL/)
    server.close()
    await once(server, 'close')
    assert.match((await finding({ HONE_SLACK_URL: at }))?.detail ?? '', /was not reached/)
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
    // Slack's types know the whole form, but neither its newest scopes nor its newest events.
    const { event_subscriptions: _, ...settings } = made.settings
    const form: webApi.AppsManifestCreateArguments['manifest'] = { ...made, oauth_config: {}, settings }
    assert.ok(form.features)
    assert.ok(made.features.agent_view.agent_description.length <= 300)
    assert.equal(made.features.agent_view.suggested_prompts?.length, 4)
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
