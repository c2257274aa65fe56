import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ServerType, serve } from '@hono/node-server'
import type { Browser, Page } from 'playwright-core'
import { type Web, web } from '../../adapters/web/index.ts'
import type { Replays } from '../../src/ports/replay.ts'
import { browserPath, openBrowser } from '../browser.ts'
import { fakeBot } from '../fakes/bot.ts'
import { memoryStore } from '../fakes/memory-store.ts'
import { sampleReplays } from '../fakes/replays.ts'

if (browserPath) describe('an admin who replays past conversations, in a real browser', journey)

function journey(this: Mocha.Suite): void {
  this.timeout(60_000)
  let browser: Browser
  let server: ServerType
  let site: Web
  let replays: Replays
  let page: Page
  let held: PromiseWithResolvers<void>
  const problems: string[] = []
  before(async () => {
    browser = await openBrowser()
  })
  after(() => browser.close())
  beforeEach(async () => {
    problems.length = 0
    held = Promise.withResolvers()
    const store = memoryStore()
    replays = await sampleReplays(store, { hold: held.promise, threads: 3 })
    site = web(fakeBot({ store, replays }), { adminToken: 'let-me-in', secret: 'signs', host: '127.0.0.1' })
    server = serve({ fetch: site.fetch, port: 0, hostname: '127.0.0.1' })
    if (!server.listening) await once(server, 'listening')
  })
  afterEach(async () => {
    held.resolve()
    await page.context().close()
    site.detach()
    server.close()
    assert.deepEqual(problems, [])
  })
  const open = async (width: number) => {
    const context = await browser.newContext({ viewport: { width, height: 800 } })
    page = await context.newPage()
    page.setDefaultTimeout(20_000)
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (line) => line.type() === 'error' && problems.push(line.text()))
    page.on('dialog', (dialog) => dialog.accept())
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await page.goto(`${address}/login?token=let-me-in`)
    await page.goto(`${address}/replay`)
  }
  const shown = () => page.locator('.pair:visible').count()
  const pressOn = async (name: string, key: string) => {
    await page.getByRole('button', { name }).focus()
    await page.keyboard.press(key)
  }

  it('sees each message as it is answered, filters by key, and lets the candidate serve', async () => {
    await open(1100)
    await page.getByLabel('Candidate').fill('---\nname: desk\n---\nYou are Ash.\n')
    await pressOn('Replay', 'Enter')
    await page.getByText('1 of 3 messages').waitFor()
    assert.equal(await shown(), 1)
    held.resolve()
    await page.getByRole('button', { name: 'Promote this profile' }).waitFor()
    assert.equal(await shown(), 3)
    await page.getByLabel('All').focus()
    await page.keyboard.press('ArrowRight')
    assert.equal(await shown(), 2)
    assert.equal(await page.getByLabel('Changed').isChecked(), true)
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    assert.equal(await shown(), 1)
    await pressOn('Promote this profile', 'Enter')
    await page.getByText('This is the profile that serves').waitFor()
    assert.match(await replays.source(), /You are Ash/)
  })

  it('can read it on a phone, and cancel it', async () => {
    await open(360)
    await pressOn('Replay', 'Enter')
    await page.getByText('1 of 3 messages').waitFor()
    const heard = page.waitForResponse((response) => response.url().endsWith('/replay/cancel'))
    await pressOn('Cancel', 'Enter')
    await heard
    held.resolve()
    await page.getByText('It was cancelled.').waitFor()
    await page.getByLabel('Judged by people').check()
    await page.getByText('None of the replies is of this kind').waitFor()
    const wide = await page.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(wide <= 360, `the page is ${wide} px wide on a phone of 360 px`)
    const [then, now] = await page.evaluate(() =>
      [...document.querySelectorAll('.pair .side')].map((side) => side.getBoundingClientRect().left),
    )
    assert.equal(then, now, 'one reply stands below the other')
  })
}
