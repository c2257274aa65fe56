import assert from 'node:assert/strict'
import fc from 'fast-check'
import markdownIt from 'markdown-it'
import { addressOf, createAddresses, threadOf } from '../../../adapters/teams/address.ts'
import { parse } from '../../../adapters/teams/parse.ts'
import { aiEntity, partial, plainMessage, replyMessage, settled, sourcesText } from '../../../adapters/teams/render.ts'
import { type Activity, refusalOf } from '../../../adapters/teams/sdk.ts'
import { meaningOf } from '../../../adapters/teams/stream.ts'
import { distrust } from '../../../adapters/teams/trust.ts'
import { restored } from '../../../adapters/teams/wire.ts'

const bot = { id: '28:bot', name: 'Hone' }
const activity: Activity = {
  type: 'message',
  id: 'e1',
  channelId: 'msteams',
  text: 'How many days?',
  from: { id: '29:anna', name: 'Anna' },
  recipient: bot,
  serviceUrl: 'https://smba.trafficmanager.net/emea/',
  conversation: { id: 'a:1', conversationType: 'personal', tenantId: 't1' },
}
const channel = { id: '19:x@thread.tacv2;messageid=1', conversationType: 'channel', tenantId: 't1' }
const mention = { type: 'mention', text: '<at>Hone</at>', mentioned: bot }

describe('reading an activity of Teams', () => {
  it('takes the bot’s own mention away and leaves other people their names', () => {
    const text = '<at>Hone</at>&nbsp; ask <at>Ben</at> about it'
    const ben = { type: 'mention', text: '<at>Ben</at>', mentioned: { id: '29:ben' } }
    const said = parse({ ...activity, conversation: channel, text, entities: [mention, ben] })
    assert.deepEqual(said, { kind: 'message', text: 'ask Ben about it' })
  })

  it('says nothing to itself, other bots, edits, and groups that did not ask', () => {
    const others: Partial<Activity>[] = [
      { from: bot },
      { from: { id: '28:other', role: 'bot' } },
      { type: 'messageUpdate' },
      { conversation: channel },
      { text: '<at>Hone</at>', entities: [mention], conversation: channel },
      { text: '' },
    ]
    for (const change of others) assert.equal(parse({ ...activity, ...change }), undefined)
  })

  it('does not stumble over anything that JSON can be', () => {
    const names = [
      'message/submitAction',
      'message/fetchTask',
      'adaptiveCard/action',
      'composeExtension/fetchTask',
      'task/submit',
    ]
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, value) => {
        const parsed = parse({ ...activity, type: 'invoke', name, value })
        return parsed === undefined || typeof parsed.kind === 'string'
      }),
    )
    const field = fc.constantFrom('text', 'entities', 'value', 'channelData', 'replyToId', 'name')
    const value = fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue()))
    fc.assert(
      fc.property(field, value, fc.constantFrom('message', 'invoke'), (name, json, type) => {
        parse({ ...activity, type, [name]: json })
        return true
      }),
    )
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (conversation, channelData) => {
        addressOf({ ...activity, conversation: conversation as never, channelData })
        return true
      }),
    )
  })
})

describe('where a conversation of Teams is', () => {
  it('can be found again from its thread alone, after a restart', () => {
    const address = addressOf({ ...activity, conversation: channel })
    assert.ok(address)
    const thread = threadOf(address)
    assert.equal(thread, 'teams:t1:19:x@thread.tacv2;messageid=1')
    const addresses = createAddresses(() => 'app')
    const found = addresses.find(thread)
    assert.equal(found?.kind, 'channel')
    assert.equal(found?.bot, '28:app')
    assert.equal(found?.serviceUrl, 'https://smba.trafficmanager.net/teams/')
    addresses.learn(address)
    assert.deepEqual(addresses.find(thread), address)
    assert.equal(addresses.find('web:t1'), undefined)
  })
})

describe('what of a growing text stays as it is', () => {
  it('holds back half words and open marks', () => {
    assert.equal(settled('See the hand'), 'See the ')
    assert.equal(settled('See **the hand'), 'See ')
    assert.equal(settled('See [the handbook](https://x'), 'See ')
    assert.equal(settled('Use `npm run '), 'Use ')
    assert.equal(settled('Done [1]. Next '), 'Done [1]. Next ')
    assert.equal(settled('```ts\nconst a = '), '```ts\nconst a = ')
  })

  it('is always a beginning of the text', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', '\n', '*', '`', '[', ']', '(', ')', '_') })
    fc.assert(fc.property(text, (said) => said.startsWith(settled(said))))
  })
})

describe('text for Teams', () => {
  it('has links to the hosts of its sources only', () => {
    const text = (said: string) =>
      replyMessage({ ...reply, text: said, sources: [linked] }, { feedback: 'default' })['text']
    const linked = { number: 1, title: 'T', document: 'd', text: 't', url: 'https://handbook.test/a' }
    const reply = { turn: 'b', version: 'v0' }
    assert.equal(text('See [here](https://handbook.test/b).'), 'See [here](https://handbook.test/b).')
    assert.equal(text('See [here](https://evil.test/?q=secret).'), 'See here (`https://evil.test/?q=secret`).')
    assert.equal(text('See https://evil.test/x now'), 'See `https://evil.test/x` now')
    assert.equal(text('See www.evil.test now'), 'See `www.evil.test` now')
    assert.equal(
      text('[mail](mailto:x@evil.test) [js](javascript:alert)'),
      'mail (`mailto:x@evil.test`) js (`javascript:alert`)',
    )
    assert.equal(text('[https://handbook.test](https://evil.test)'), 'https://handbook.test (`https://evil.test`)')
    assert.equal(text('`https://evil.test`'), '`https://evil.test`')
    assert.equal(text('<a href="https://evil.test">x</a>'), '&lt;a href="`https://evil.test"`>x&lt;/a>')
    assert.match(sourcesText([linked]), /\[T\]\(https:\/\/handbook\.test\/a\)/)
  })

  it('tells the beginning of a growing text as it tells the whole', () => {
    const whole = 'One [a](https://evil.test/x) two https://evil.test/y and `code` three. End'
    const told = plainMessage(whole)['text'] as string
    for (let end = 0; end < whole.length; end++) {
      const part = plainMessage(settled(whole.slice(0, end)).trimEnd())['text'] as string
      assert.ok(told.startsWith(part), part)
    }
  })

  it('hides no link in what other readers of Markdown take for the end of code', () => {
    const hidden = [
      '`a\nhttps://evil.test/\nb`',
      '~~~\n```\n~~~\nhttps://evil.test/\n```',
      '<pre>\n```\n</pre>\nhttps://evil.test/\n```',
      '<!--\n```\n-->\nhttps://evil.test/\n```',
      '- a\n  ```\n  b\n\nhttps://evil.test/\n```',
      'ftp://evil.test/ and msteams://evil.test/',
    ]
    const markdown = markdownIt({ html: true, linkify: true })
    assert.match(markdown.render('https://evil.test/'), /<a /)
    for (const text of hidden) {
      assert.doesNotMatch(markdown.render(String(plainMessage(text)['text'])), /<a /, text)
    }
    assert.equal(plainMessage('Use `a<b>` and <b>')['text'], 'Use `a<b>` and &lt;b>')
  })

  it('shows no image: its address would be fetched unasked, and could carry what was said', () => {
    const evil = 'Look! ![a](https://evil.test/?said=x) ![a[b]][ref] <img src="https://evil.test/">'
    const safe = plainMessage(evil)['text']
    assert.equal(safe, 'Look! ! a (`https://evil.test/?said=x`) ! [a[b]][ref] &lt;img src="`https://evil.test/"`>')
    assert.equal(partial(evil, { sequence: 1 })['text'], safe)
  })

  it('of a growing reply begins with what was shown before', () => {
    const address = 'https://evil.test/x'
    const marks = ['a', ' ', '!', '[', ']', '(', ')', '<img', '\n', '`', '```', '~~~', '  ', '**', '<pre>', address]
    const text = fc.string({ unit: fc.constantFrom(...marks) })
    const shown = (said: string) => String(partial(settled(said).trimEnd(), { sequence: 1 })['text'])
    fc.assert(
      fc.property(text, fc.nat(), (said, at) => shown(said).startsWith(shown(said.slice(0, at % (said.length + 1))))),
    )
  })
})

describe('the AI label', () => {
  it('has at most twenty citations, and no address that is not https', () => {
    const source = { title: 'T', document: 'd', text: 'x', url: 'http://inside' }
    const sources = Array.from({ length: 30 }, (_, n) => ({ ...source, number: n + 1 }))
    const { citation } = aiEntity(sources, {}) as { citation: { appearance: object }[] }
    assert.equal(citation.length, 20)
    assert.equal('url' in (citation[0]?.appearance ?? {}), false)
  })
})

describe('what a refusal of Teams means', () => {
  const forbidden = (message: string) => ({ status: 403, text: message })
  it('is Stop in the middle of a stream, unless it says otherwise', () => {
    assert.equal(meaningOf(forbidden('Content stream was canceled by user.'), true), 'stopped')
    assert.equal(meaningOf(forbidden('Content stream is not allowed'), true), 'stopped')
    assert.equal(meaningOf(forbidden('Content stream is not allowed'), false), 'unfit')
    assert.equal(meaningOf(forbidden('Content stream finished due to exceeded streaming time.'), true), 'over')
    assert.equal(meaningOf(forbidden('Message size too large'), true), 'over')
    assert.equal(meaningOf({ status: 400, text: '' }, true), 'unfit')
    for (const status of [0, 412, 429, 502, 504]) assert.equal(meaningOf({ status, text: '' }, true), 'later')
  })

  it('is read from the errors of both SDKs', () => {
    const headers = new Headers({ 'retry-after': '3' })
    const agents = {
      message: 'Forbidden',
      status: 403,
      response: { data: { error: { message: 'canceled' } }, headers },
    }
    const botbuilder = {
      message: 'x',
      statusCode: 429,
      response: { bodyAsText: 'quota', headers: { 'retry-after': '2' } },
    }
    assert.match(refusalOf(agents).text, /canceled/)
    assert.deepEqual([refusalOf(agents).status, refusalOf(agents).retryAfterMs], [403, 3000])
    assert.deepEqual([refusalOf(botbuilder).status, refusalOf(botbuilder).retryAfterMs], [429, 2000])
    assert.equal(refusalOf(undefined).status, 0)
  })
})

describe('the entities that botbuilder would drop', () => {
  it('are put back into the body, and nothing of ours stays', () => {
    const sent = JSON.stringify({
      entities: [{ type: 'a' }],
      channelData: { honeEntities: [{ type: 'a', b: 1 }], c: 2 },
    })
    assert.deepEqual(JSON.parse(String(restored(sent))), { entities: [{ type: 'a', b: 1 }], channelData: { c: 2 } })
    const written = JSON.stringify({ text: 'What are honeEntities?' })
    assert.equal(restored(written), written)
    assert.equal(restored(undefined), undefined)
  })
})

describe('who is believed', () => {
  const claims = {
    authenticated: true,
    issuer: 'https://api.botframework.com',
    audience: 'app',
    serviceUrl: 'https://smba.trafficmanager.net/emea/',
  }
  const address = addressOf(activity)
  it('is Microsoft, talking from its own hosts', () => {
    assert.ok(address)
    assert.equal(distrust(claims, address, {}), undefined)
    assert.match(distrust({ ...claims, issuer: 'https://evil.test' }, address, {}) ?? '', /another issuer/)
    for (const serviceUrl of [
      'https://smba.trafficmanager.net.evil.test/',
      'http://smba.trafficmanager.net/',
      'https://evil.test/',
    ])
      assert.match(distrust({ ...claims, serviceUrl }, { ...address, serviceUrl }, {}) ?? '', /not one of Microsoft/)
  })
})
