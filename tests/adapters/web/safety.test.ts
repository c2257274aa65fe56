import assert from 'node:assert/strict'
import { type Web, type WebOptions, web } from '../../../adapters/web/index.ts'
import { type FakeBot, fakeBot } from '../../fakes/bot.ts'
import { type FakeLearning, fakeLearning } from '../../fakes/learning.ts'
import { memoryStore } from '../../fakes/memory-store.ts'
import { type Visitor, visitor } from './visitor.ts'

describe('the page is safe', () => {
  let bot: FakeBot
  let learning: FakeLearning
  let site: Web
  let now: number
  let anna: Visitor

  const start = (options: Partial<WebOptions> = {}) => {
    const store = memoryStore()
    learning = fakeLearning(store)
    bot = fakeBot({
      store,
      learning,
      script: (text) => (text === 'Hi' ? { chunks: [text] } : { chunks: [text, ' [1]'], sources: [nasty] }),
    })
    site = web(bot, { adminToken: 'let-me-in', secret: 'signs', host: '127.0.0.1', now: () => now, ...options })
    anna = visitor(site)
  }
  beforeEach(() => {
    now = Date.UTC(2026, 0, 1)
    start()
  })
  afterEach(() => site.detach())

  const ask = async (who: Visitor, text: string) => {
    await who.post('/t/t1/messages', { event: 'e_00000001', text })
    await bot.idle()
    return who.page('/t/t1')
  }
  const turnIn = (page: string) => /\/turns\/(\w+)\/vote/.exec(page)?.[1] ?? ''

  describe('against scripts in texts', () => {
    for (const text of [
      '<script>alert(1)</script>',
      '<img src=x onerror=alert(1)>',
      '"><svg onload=alert(1)>',
      "' onmouseover='alert(1)",
      '</textarea><script>alert(1)</script>',
      '[x](javascript:alert(1))',
      '[x](JaVaScRiPt&#58;alert(1))',
      '[x](data:text/html,<script>alert(1)</script>)',
      '![x](https://evil.example/pixel.png)',
      '<https://evil.example/"onmouseover="alert(1)>',
      '[1](javascript:alert(1)) [1]',
    ]) {
      it(`shows ${text} as text`, async () => {
        const page = await ask(anna, text)
        const down = await (await anna.post(`/turns/${turnIn(page)}/vote`, { verdict: 'down', reason: text })).text()
        await anna.post(`/turns/${turnIn(page)}/correction`, { text })
        await anna.post('/name', { name: text.slice(0, 60) })
        const why = await (await anna.get(`/turns/${turnIn(page)}/why`)).text()
        for (const html of [page, down, why, await anna.page('/t/t1'), await anna.page('/threads')]) harmless(html)
      })
    }

    it('opens links of a reply without telling where from', async () => {
      const page = await ask(anna, '[handbook](https://example.org/a)')
      assert.match(page, /<a href="https:\/\/example\.org\/a" rel="noreferrer noopener nofollow" target="_blank">/)
    })
  })

  it('lets nobody see or judge another person’s replies', async () => {
    const turn = turnIn(await ask(anna, 'Secret'))
    const ben = visitor(site)
    assert.doesNotMatch(await ben.page('/t/t1'), /Secret/)
    assert.doesNotMatch(await ben.page('/threads'), /Secret/)
    for (const path of [`/turns/${turn}`, `/turns/${turn}/why`]) assert.equal((await ben.get(path)).status, 404)
    const vote = await ben.post(`/turns/${turn}/vote`, { verdict: 'up' })
    assert.equal(vote.status, 404)
    assert.deepEqual(bot.said, [])
  })

  it('refuses a person cookie that was changed', async () => {
    await ask(anna, 'Secret')
    const forged = visitor(site)
    const [name = '', value = ''] = [...anna.cookies][0] ?? []
    ;(forged.cookies as Map<string, string>).set(name, value.replace(/^../, 'AA'))
    assert.doesNotMatch(await forged.page('/t/t1'), /Secret/)
  })

  it('refuses a form without the token of the page, and one from another site', async () => {
    await anna.page('/')
    const form = { event: 'e_00000001', text: 'Hi' }
    assert.equal((await anna.post('/t/t1/messages', { ...form, csrf: 'wrong' })).status, 403)
    assert.equal((await anna.post('/t/t1/messages', form, { 'sec-fetch-site': 'cross-site' })).status, 403)
    assert.equal((await anna.post('/t/t1/messages', form, { 'sec-fetch-site': 'same-origin' })).status, 202)
  })

  for (const host of ['evil.example', 'evil.example:3978', 'localhost.evil.example']) {
    it(`does not answer as ${host} on loopback`, async () => {
      assert.equal((await anna.get('/', { host })).status, 403)
    })
  }
  for (const host of ['localhost:3978', '127.0.0.1:3978', '[::1]:3978', 'LOCALHOST']) {
    it(`answers as ${host} on loopback`, async () => {
      assert.equal((await anna.get('/', { host })).status, 200)
    })
  }
  it('answers under any name when it does not listen on loopback', async () => {
    start({ host: '0.0.0.0' })
    assert.equal((await anna.get('/', { host: 'chat.example.org' })).status, 200)
  })

  it('sends headers that let nothing foreign in', async () => {
    const { headers } = await anna.get('/')
    const policy = headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'self'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe/)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
    assert.equal(headers.get('cache-control'), 'no-store')
  })

  it('has no script and no style in its HTML, and loads only its own files', async () => {
    const page = `${await ask(anna, 'Hi')}${await anna.page('/learning')}${await anna.page('/login')}`
    assert.doesNotMatch(page, /<script(?![^>]+src=)|<style|\sstyle=|\son\w+=/)
    for (const [, address] of page.matchAll(/(?:src|href)="([^"]+)"/g)) assert.match(address ?? '', /^(\/(?!\/)|#)/)
  })

  it('serves its files for ever under an address of their content', async () => {
    const page = await anna.page('/learning')
    const addresses = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, address]) => address ?? '')
    assert.equal(addresses.length, 7)
    for (const address of addresses) {
      const response = await anna.get(address)
      assert.equal(response.status, 200, address)
      assert.match(response.headers.get('cache-control') ?? '', /immutable/)
    }
    assert.equal((await anna.get('/assets/000000000000/hone.css')).status, 404)
    assert.equal((await anna.get('/assets/x/..%2f..%2fpackage.json')).status, 404)
  })

  describe('for admins', () => {
    const acts = ['retrain', 'cancel', 'promote', 'rollback'] as const

    for (const act of acts) {
      it(`refuses ${act} to everyone else`, async () => {
        const response = await anna.post(`/learning/${act}`, { version: 'v0' })
        assert.equal(response.status, 403)
        assert.match(await response.text(), /admin/)
        assert.deepEqual(learning.calls, [])
      })
    }

    it('signs in by form, keeps the cookie from scripts, and signs out again', async () => {
      await anna.page('/login')
      assert.equal((await anna.post('/login', { token: 'wrong' })).status, 403)
      const right = await anna.post('/login', { token: 'let-me-in' })
      assert.equal(right.headers.get('location'), '/learning')
      assert.match(right.headers.get('set-cookie') ?? '', /^hone_admin_\w+=.+HttpOnly.+SameSite=Strict/)
      assert.match(await anna.page('/learning'), /<button class="button primary" >Retrain/)
      await anna.post('/logout', {})
      assert.equal((await anna.post('/learning/retrain', {})).status, 403)
    })

    it('signs in at once by the printed link, which leaves the address bar', async () => {
      const response = await anna.get('/login?token=let-me-in')
      assert.equal(response.status, 303)
      assert.equal(response.headers.get('location'), '/learning')
      assert.equal((await anna.post('/learning/retrain', {})).status, 200)
      assert.match(learning.calls[0] ?? '', /^start web:/)
    })

    it('allows ten tries a minute, whoever makes them', async () => {
      for (let n = 0; n < 10; n++) await visitor(site).get('/login?token=guess')
      assert.equal((await anna.get('/login?token=let-me-in')).status, 429)
      now += 61_000
      assert.equal((await anna.get('/login?token=let-me-in')).status, 303)
    })

    it('gives the admin cookie of one person no power in another’s hands', async () => {
      await anna.get('/login?token=let-me-in')
      const ben = visitor(site)
      await ben.page('/')
      for (const [name, value] of anna.cookies) {
        if (name.startsWith('hone_admin')) (ben.cookies as Map<string, string>).set(name, value)
      }
      assert.equal((await ben.post('/learning/retrain', {})).status, 403)
    })

    it('ends an admin session after a week', async () => {
      await anna.get('/login?token=let-me-in')
      now += 8 * 24 * 3600 * 1000
      assert.equal((await anna.post('/learning/retrain', {})).status, 403)
    })

    it('lets nobody in when no token is set', async () => {
      start({ adminToken: '' })
      assert.equal((await anna.get('/login?token=')).status, 403)
    })
  })

  it('answers a thread name that is none with a page that says so', async () => {
    const response = await anna.get('/t/..%2f..%2fetc')
    assert.equal(response.status, 404)
    assert.match(await response.text(), /There is no such conversation/)
  })

  it('shows a host’s own people under their names, each with their own threads', async () => {
    start({
      person: (request) => {
        const name = request.headers.get('x-user')
        return name ? { id: `web:${name}`, name } : undefined
      },
    })
    const response = await anna.get('/', { 'x-user': 'Ada' })
    assert.match(await response.text(), /<span class="name">Ada<\/span>/)
    assert.equal(response.headers.get('set-cookie'), null)
  })

  it('works under a path of its host', async () => {
    start({ base: '/hone/' })
    const page = await anna.page('/hone/')
    for (const [, address] of page.matchAll(/(?:src|href|action)="(\/[^"]*)"/g))
      assert.match(address ?? '', /^\/hone\//)
    assert.equal((await anna.get('/')).status, 404)
  })
})

const nasty = {
  number: 1,
  title: '"><script>alert(1)</script>',
  document: '<img src=x onerror=alert(1)>',
  text: '![x](https://evil.example/p.png) <script>alert(1)</script>',
  url: 'javascript:alert(1)',
}

/** No element and no attribute came from a text: every tag in the page is one that Hone's templates write. */
function harmless(html: string): void {
  const tags = html.match(/<[^>]*>/g) ?? []
  for (const tag of tags) {
    assert.doesNotMatch(tag, /^<(img|iframe|object|embed|base)\b/i)
    assert.doesNotMatch(tag.replace(/"[^"]*"/g, '""'), /\son\w+\s*=|^<script(?![^>]*src=)/i)
    assert.doesNotMatch(tag, /(?:href|src|action)="\s*(?:javascript|data|vbscript):/i)
    assert.doesNotMatch(tag, /src="https?:/i)
  }
}
