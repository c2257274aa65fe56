import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppManifestUtils } from '@microsoft/app-manifest'
import { strFromU8, unzipSync } from 'fflate'
import { fetchEndpoint } from '../../../adapters/teams/index.ts'
import { teamsManifest } from '../../../adapters/teams/manifest.ts'
import { openChannels } from '../../../src/cli/channels.ts'
import { printManifest } from '../../../src/cli/manifest.ts'
import { createOutput } from '../../../src/cli/output.ts'
import { sdks, teamsFindings } from '../../../src/cli/teams.ts'
import { manifest } from '../../../src/cli/teams-manifest.ts'
import { readConfig } from '../../../src/config.ts'
import { silent } from '../../../src/log.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { openChat } from '../../fakes/teams/chat.ts'
import { openConnector } from '../../fakes/teams/connector.ts'
import { appId } from '../../fakes/teams/issuer.ts'
import { type Answer, formOf, serve } from '../../fakes/teams/server.ts'

const json = { 'content-type': 'application/json; charset=utf-8' }
const tenant = 'a1b2c3d4-0000-4000-8000-000000000001'
const whole = { HONE_TEAMS_APP_ID: appId, HONE_TEAMS_APP_SECRET: 'secret', HONE_TEAMS_APP_TENANT: tenant }
const unread = (): Promise<never> => Promise.reject(new Error('Nothing here reads documents.'))
const open = (env: Record<string, string>) =>
  openChannels(fakeBot(), readConfig(env), silent, { knowledge: unread, profiles: unread })

describe('Teams in hone serve', () => {
  it('is not there unless it is configured', async () => {
    await using channels = await open({})
    assert.deepEqual(channels.names, [])
  })

  it('listens at /api/messages, refuses what has no token, and leaves other paths alone', async () => {
    await using channels = await open(whole)
    assert.match(channels.names.join(), /^teams \((agents-hosting|botbuilder) at \/api\/messages\)$/)
    const post = (path: string, body: string) =>
      channels.fetch(new Request(`http://127.0.0.1${path}`, { method: 'POST', headers: json, body }))
    const conversation = { id: 'a:1', tenantId: tenant }
    const serviceUrl = 'https://smba.trafficmanager.net/emea/'
    const activity = { type: 'message', text: 'hi', channelId: 'msteams', from: { id: 'u' }, conversation, serviceUrl }
    assert.equal((await post('/api/messages', JSON.stringify(activity)))?.status, 401)
    assert.equal((await post('/api/messages', '{}'))?.status, 400)
    assert.equal(await post('/', '{}'), undefined)
  })

  it('refuses what has no token with either SDK', async () => {
    for (const open of sdks) {
      const { adapter } = await open(readConfig(whole).teams)
      const from = { id: '29:u' }
      const serviceUrl = 'https://smba.trafficmanager.net/emea/'
      const activity = { type: 'message', channelId: 'msteams', from, conversation: { id: 'a:1' }, serviceUrl }
      const request = { method: 'POST', headers: json, body: JSON.stringify(activity) }
      const response = await fetchEndpoint(adapter)(new Request('http://127.0.0.1/api/messages', request))
      assert.equal(response.status, 401)
    }
  })

  it('says which half is missing', async () => {
    await assert.rejects(open({ ...whole, HONE_TEAMS_APP_SECRET: '' }), /HONE_TEAMS_APP_SECRET is missing/)
    await assert.rejects(open({ ...whole, HONE_TEAMS_APP_TENANT: '' }), /HONE_TEAMS_APP_TENANT is missing/)
    const [finding] = await teamsFindings(readConfig({ ...whole, HONE_TEAMS_APP_SECRET: '' }))
    assert.equal(finding?.ok, false)
  })

  it('takes ids for tenants, and logs which one was turned away', async () => {
    const id = 'b0000000-0000-4000-8000-000000000002'
    assert.throws(() => readConfig({ HONE_TEAMS_TENANTS: `${id}, contoso.onmicrosoft.com` }), /HONE_TEAMS_TENANTS/)
    assert.deepEqual(readConfig({ HONE_TEAMS_TENANTS: `${tenant}, ${id}` }).teams.tenants, [tenant, id])
    const warned: object[] = []
    const log = { ...silent, warn: (event: string, fields = {}) => warned.push({ event, ...fields }) }
    const process = () => Promise.reject(new Error('Nobody from there may come so far.'))
    const conversation = { id: 'a:1', tenantId: id }
    const activity = { type: 'message', channelId: 'msteams', from: { id: 'u' }, conversation, serviceUrl: '' }
    const request = { method: 'POST', headers: json, body: JSON.stringify(activity) }
    const messages = fetchEndpoint({ process }, { log, tenants: [tenant] })
    assert.equal((await messages(new Request('http://127.0.0.1/api/messages', request))).status, 403)
    assert.deepEqual(warned, [{ event: 'teams.tenant.refused', tenant: id }])
  })

  it('works without authentication only on request and on loopback', async () => {
    const insecure = { HONE_TEAMS_INSECURE: 'on' }
    const reachable = { ...insecure, HONE_HOST: '0.0.0.0', HONE_ADMIN_TOKEN: 'x' }
    await assert.rejects(open(reachable), /it must be loopback/)
    await assert.rejects(open({ ...whole, ...insecure }), /HONE_TEAMS_APP_ID is set as well/)
    await using connector = await openConnector({ anonymous: true })
    await using channels = await open(insecure)
    const fetch = async (request: Request) => (await channels.fetch(request)) as Response
    const anna = openChat({ fetch }, connector)
    assert.equal((await anna.post({ type: 'message', text: 'hi' }, '')).status, 200)
    assert.equal((await anna.answered()).activity.text, 'You said: hi')
  })
})

describe('the doctor of Teams', () => {
  const found = async (env: Record<string, string>, entra: string) => {
    const findings = await teamsFindings(readConfig({ ...whole, ...env }), entra)
    return Object.fromEntries(findings.map(({ what, ok, detail }) => [what.replace('Teams ', ''), [ok, detail]]))
  }

  it('asks Entra for a token, and the public address for the bot', async () => {
    const asked: string[] = []
    const refusal = { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret.\nTrace ID: x' }
    let answer: Answer = { status: 200, body: { access_token: 'never shown' } }
    await using entra = await serve(({ path }) => {
      asked.push(path)
      return answer
    }, formOf)
    await using bot = await serve(({ path }) => ({ status: path === '/api/messages' ? 400 : 404 }))
    const login = entra.url.replace(/\/$/, '')
    const well = await found({ HONE_TEAMS_URL: `${bot.url}api/messages` }, login)
    assert.deepEqual(asked, [`/${tenant}/oauth2/v2.0/token`])
    assert.deepEqual(well['credentials'], [true, `Entra accepts them for ${appId}`])
    assert.deepEqual(well['endpoint'], [true, `${bot.url}api/messages is this bot`])
    assert.deepEqual(well['tenants'], [true, tenant])
    assert.match(String(well['SDK']?.[1]), /^(agents-hosting|botbuilder)$/)
    assert.match(String(well['policy']?.[1]), /not trained on/)
    answer = { status: 401, body: refusal }
    const badly = await found({ HONE_TEAMS_URL: `${bot.url}elsewhere` }, login)
    assert.deepEqual(badly['credentials'], [false, 'AADSTS7000215: Invalid client secret.'])
    assert.match(String(badly['endpoint']?.[1]), /answers 404/)
  })

  it('says what it could not reach', async () => {
    const nowhere = 'http://127.0.0.1:1'
    const { credentials, endpoint } = await found({ HONE_TEAMS_URL: `${nowhere}/api/messages` }, nowhere)
    assert.deepEqual(credentials, [false, `could not be checked: ${nowhere} was not reached`])
    assert.deepEqual(endpoint, [false, `${nowhere}/api/messages was not reached`])
  })
})

describe('a page in a browser', () => {
  const body = '{"type":"message"}'
  it('can not reach the endpoint without authentication from another site', async () => {
    await using channels = await open({ HONE_TEAMS_INSECURE: 'on' })
    const status = async (url: string, headers: Record<string, string>) =>
      (await channels.fetch(new Request(url, { method: 'POST', headers, body })))?.status
    // What a page may send to another origin without asking it first.
    assert.equal(await status('http://127.0.0.1:3978/api/messages', { 'content-type': 'text/plain' }), 415)
    // What it may send to its own, whose name now leads here.
    assert.equal(await status('http://rebound.test:3978/api/messages', json), 403)
    assert.equal(await status('http://localhost:3978/api/messages', json), 400)
    assert.equal(await status('http://[::1]:3978/api/messages', json), 400)
  })
})

describe('the package for Teams', () => {
  let dir: string
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'hone-teams-'))
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  it('is a zip of the manifest and two icons of the right size', () => {
    const out = join(dir, 'hone.zip')
    const output = { ...createOutput(true), result: () => undefined, say: () => undefined }
    printManifest('teams', readConfig({}), output, { appId, out, website: 'https://hone.test' })
    const files = unzipSync(readFileSync(out))
    assert.deepEqual(Object.keys(files).sort(), ['color.png', 'manifest.json', 'outline.png'])
    const widthOf = (name: string) => Buffer.from(files[name] ?? []).readUInt32BE(16)
    assert.deepEqual([widthOf('color.png'), widthOf('outline.png')], [192, 32])
    const made = JSON.parse(strFromU8(files['manifest.json'] as Uint8Array))
    assert.equal(made.bots[0].botId, appId)
    assert.throws(() => printManifest('teams', readConfig({}), output, {}), /--app-id/)
    assert.throws(() => printManifest('teams', readConfig({}), output, { appId, website: 'http://x' }), /https/)
    assert.throws(() => printManifest('nowhere', readConfig({}), output, {}), /teams/)
  })

  it('passes the published schema, and a broken one does not', async () => {
    const made = teamsManifest({ appId, website: 'https://hone.test' })
    const { file } = manifest(readConfig({}), { appId, website: 'https://hone.test' })
    const zipped = JSON.parse(strFromU8(unzipSync(file?.bytes ?? new Uint8Array())['manifest.json'] as Uint8Array))
    assert.deepEqual(zipped, made)
    assert.deepEqual(await AppManifestUtils.validateAgainstSchema(zipped as never), [])
    assert.notDeepEqual(await AppManifestUtils.validateAgainstSchema({ ...zipped, bots: [{}] } as never), [])
  })
})
