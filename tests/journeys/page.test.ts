import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ServerType, serve } from '@hono/node-server'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { type Web, web } from '../../adapters/web/index.ts'
import { browserPath, openBrowser } from '../browser.ts'
import { type FakeBot, fakeBot, type Script } from '../fakes/bot.ts'
import { type FakeLearning, fakeLearning } from '../fakes/learning.ts'
import { memoryStore } from '../fakes/memory-store.ts'

const sources = [
  {
    number: 1,
    title: 'Time off - Vacation',
    document: 'handbook/time-off.md',
    text: 'Everyone gets **25 days** a year.',
  },
  { number: 2, title: 'Time off - Asking', document: 'handbook/time-off.md', text: 'Ask two weeks before.' },
]

if (browserPath) describe('a person at the page, in a real browser', journeys)
else process.stdout.write('  (the journeys through the page need Chromium: apt-get install chromium)\n')

function journeys(this: Mocha.Suite): void {
  let bot: FakeBot
  let learning: FakeLearning
  let site: Web
  let server: ServerType
  let browser: Browser
  let context: BrowserContext | undefined
  let page: Page
  let script: (text: string, nth: number) => Script
  const problems: string[] = []

  before(async () => {
    browser = await openBrowser()
  })
  after(() => browser.close())

  const open = async (options: BrowserContextOptions = {}) => {
    await context?.close()
    context = await browser.newContext(options)
    page = await context.newPage()
    page.setDefaultTimeout(60_000)
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (line) => line.type() === 'error' && problems.push(line.text()))
    page.on('dialog', (dialog) => dialog.accept())
    await page.goto(address())
  }
  const address = (path = '/') => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const send = async (text: string) => {
    await page.getByLabel('Your message').fill(text)
    await page.keyboard.press('Enter')
  }
  const messages = () => page.locator('#messages')
  const ask = async (text: string) => {
    const before = await page.locator('.exchange').count()
    await send(text)
    await page.locator('.exchange').nth(before).locator('.bar').waitFor()
  }

  beforeEach(async () => {
    problems.length = 0
    script = () => ({ chunks: ['You get **25 days** a year [1].'], sources, version: 'v1' })
    const store = memoryStore()
    learning = fakeLearning(store)
    bot = fakeBot({ store, learning, script: (text, nth) => script(text, nth) })
    site = web(bot, { adminToken: 'let-me-in', secret: 'signs', host: '127.0.0.1', examples: ['When is it open?'] })
    server = serve({ fetch: site.fetch, port: 0, hostname: '127.0.0.1' })
    if (!server.listening) await once(server, 'listening')
    await open()
  })
  afterEach(async () => {
    await context?.close()
    context = undefined
    site.detach()
    server.close()
    assert.deepEqual(problems, [])
  })

  it('sends with Enter, streams, and ends with sources that open', async () => {
    const held = Promise.withResolvers<void>()
    script = () => ({ chunks: ['You get **25', held.promise, ' days** [1].'], sources })
    await send('How many days?')
    await messages().getByText('You get **25').waitFor()
    await page.getByRole('button', { name: 'Stop' }).waitFor()
    held.resolve()
    await page.locator('.bar').waitFor()
    assert.equal(await page.locator('.body strong').textContent(), '25 days')
    await page.locator('a.cite').click()
    await page.getByText('Everyone gets 25 days a year.').waitFor()
    assert.equal(await page.getByLabel('Your message').inputValue(), '')
    assert.match(page.url(), /\/t\/t_\w+$/)
  })

  it('keeps a line break with Shift+Enter and says when a message is too long', async () => {
    await page.getByLabel('Your message').fill('one')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('two')
    assert.equal(await page.getByLabel('Your message').inputValue(), 'one\ntwo')
    await send('x'.repeat(8005))
    await page.getByText('5 characters too long').waitFor()
    assert.equal(bot.received.length, 0)
  })

  it('stops a reply and keeps what was said', async () => {
    script = () => ({ chunks: ['Half an answer', new Promise(() => undefined)] })
    await send('Go')
    await messages().getByText('Half an answer').waitFor()
    await page.keyboard.press('Escape')
    await page.locator('.bar').waitFor()
    assert.equal(bot.stopped.length, 1)
    assert.equal(await messages().getByText('Half an answer').count(), 1)
  })

  it('goes on with the reply after a reload in the middle of it', async () => {
    const held = Promise.withResolvers<void>()
    script = () => ({ chunks: ['Before ', held.promise, 'and after'] })
    await send('Go')
    await messages().getByText('Before').waitFor()
    await page.reload()
    await messages().getByText('Before').waitFor()
    held.resolve()
    await messages().getByText('Before and after').waitFor()
    assert.equal(await page.locator('.exchange').count(), 1)
  })

  it('shows a conversation in two windows at once', async () => {
    await ask('First')
    const other = await page.context().newPage()
    await other.goto(page.url())
    await ask('Second')
    await other.locator('.exchange').nth(1).locator('.bar').waitFor()
    assert.equal(await other.locator('.exchange').count(), 2)
    await other.close()
  })

  it('votes, changes the vote, withdraws it, and keeps the focus where it was', async () => {
    await ask('How many days?')
    await page.getByRole('button', { name: 'Good answer' }).click()
    await page.getByRole('button', { name: 'Good answer: chosen' }).waitFor()
    await page.getByRole('button', { name: 'Bad answer' }).click()
    await page.getByRole('button', { name: 'Bad answer: chosen' }).waitFor()
    await page.getByRole('button', { name: 'Bad answer: chosen' }).and(page.locator(':focus')).waitFor()
    await page.getByRole('button', { name: 'Too long' }).click()
    await page.getByRole('button', { name: 'Too long', pressed: true }).waitFor()
    await page.getByRole('button', { name: 'Bad answer: chosen' }).click()
    await page.getByRole('button', { name: 'Bad answer', exact: true }).waitFor()
    const votes = bot.said.map((event) => event.kind === 'vote' && `${event.verdict} ${event.reason ?? ''}`.trim())
    assert.deepEqual(votes, ['up', 'down', 'down Too long', 'none'])
  })

  it('corrects a reply, starting from what it said', async () => {
    await ask('How many days?')
    await page.getByRole('button', { name: 'Bad answer' }).click()
    await page.getByText('Suggest a better answer').click()
    const editor = page.getByLabel('Your better answer')
    assert.equal(await editor.inputValue(), 'You get **25 days** a year [1].')
    await editor.fill('25 days [1].')
    await page.getByRole('button', { name: 'Keep this answer' }).click()
    await page.locator('.better-given').waitFor()
    assert.deepEqual(bot.said.at(-1)?.kind, 'correction')
  })

  it('keeps a better answer within its card, however long its words', async () => {
    await ask('How many days?')
    await page.getByRole('button', { name: 'Bad answer' }).click()
    await page.getByText('Suggest a better answer').click()
    const field = page.getByLabel('Your better answer')
    await field.fill('y'.repeat(2000))
    const [inner, outer] = [await field.boundingBox(), await page.locator('.after-down').boundingBox()]
    assert.ok(inner && outer && inner.x + inner.width <= outer.x + outer.width, JSON.stringify({ inner, outer }))
  })

  it('tries again and pages between the tries', async () => {
    script = (_text, nth) => ({ chunks: [nth === 1 ? 'First try' : 'Second try'] })
    await ask('How many days?')
    await page.getByRole('button', { name: 'Bad answer' }).click()
    await page.getByRole('button', { name: 'Try again' }).click()
    await messages().getByText('Second try').waitFor()
    await page.getByText('2/2').waitFor()
    await page.getByRole('button', { name: 'Earlier reply' }).click()
    await messages().locator('.body').getByText('First try').waitFor()
    await page.getByText('1/2').waitFor()
    assert.equal(await page.locator('.exchange').count(), 1)
  })

  it('chooses between two replies blind and learns the versions then', async () => {
    script = () => ({ chunks: ['A long answer'], version: 'v1', against: { text: 'Short', version: 'v2' } })
    await send('Which?')
    await page.getByText('Which is better?').waitFor()
    assert.doesNotMatch((await page.locator('.duel').textContent()) ?? '', /\bv[12]\b/)
    await page.getByRole('button', { name: 'Right', exact: true }).click()
    await page.getByText('You preferred the right reply (v2) to the left one (v1).').waitFor()
    assert.equal(await messages().getByText('Short').count(), 1)
    script = () => ({ chunks: ['And on it goes'] })
    await ask('Next')
    assert.equal(await page.locator('.exchange').count(), 2)
  })

  it('says why, and hides it again', async () => {
    await ask('How many days?')
    const why = page.getByRole('button', { name: 'Why?' })
    await why.click()
    await page.getByText('staff@1').waitFor()
    await why.click()
    await page.getByText('staff@1').waitFor({ state: 'detached' })
  })

  it('says that nothing was sent when the server is away, and keeps the text', async () => {
    await page.route('**/messages', (route) => route.abort())
    await send('Are you there?')
    await page.getByText('Not sent').waitFor()
    assert.equal(await page.getByLabel('Your message').inputValue(), 'Are you there?')
    problems.length = 0
    await page.unroute('**/messages')
    await ask('Are you there?')
    assert.equal(await page.locator('.exchange').count(), 1)
  })

  it('retrains with a live plot, promotes and rolls back', async () => {
    await page.goto(address('/login?token=let-me-in'))
    await page.getByRole('button', { name: 'Retrain' }).click()
    await page.getByRole('button', { name: 'Cancel the run' }).waitFor()
    await learning.advance(20)
    await page.getByText('Step 20 of 40, about 40 s left').waitFor()
    await page.locator('#plot-loss canvas').waitFor()
    await inked(page, '#plot-loss canvas')
    await learning.advance(20)
    await learning.finish('promote')
    await page.getByText('Passed: the new version serves.').waitFor()
    await page.locator('#version-v1 .tag').waitFor()
    await page.getByRole('button', { name: 'Roll back' }).click()
    await page.locator('#version-v0 .tag').waitFor()
    await page.getByRole('button', { name: 'Promote v1' }).click()
    await page.locator('#version-v1 .tag').waitFor()
    assert.equal(await page.locator('#plot-loss canvas').count(), 1)
  })

  it('is used with the keyboard alone', async () => {
    script = (text) => ({ chunks: [`About ${text}`] })
    const press = async (key: string, until: string) => {
      for (let n = 0; n < 25; n++) {
        await page.keyboard.press(key)
        const { name, outline } = await page.evaluate(() => {
          const at = document.activeElement
          return {
            name: at?.getAttribute('aria-label') ?? at?.textContent?.trim() ?? '',
            outline: at ? getComputedStyle(at).outlineStyle : '',
          }
        })
        if (!name.startsWith(until)) continue
        assert.notEqual(outline, 'none', `the focus on ${until} is visible`)
        return
      }
      assert.fail(`${key} does not reach ${until}`)
    }
    await page.locator('textarea:focus').waitFor()
    await page.keyboard.type('keys')
    await page.keyboard.press('Enter')
    await page.locator('.bar').waitFor()
    await press('Shift+Tab', 'Bad answer')
    await page.keyboard.press('Enter')
    await page.getByText('Suggest a better answer').waitFor()
    await press('Tab', 'Suggest a better answer')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Control+A')
    await page.keyboard.type('Better')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('.better-given').waitFor()
    assert.equal(bot.said.at(-1)?.kind, 'correction')
  })

  it('tells a screen reader of the reply when it is whole', async () => {
    await ask('How many days?')
    assert.match((await page.locator('[aria-live=polite]').textContent()) ?? '', /25 days/)
  })

  it('fits a phone, without sideways scrolling, and finds the conversations', async () => {
    await open({ viewport: { width: 360, height: 740 }, hasTouch: true })
    await ask('How many days of vacation do I get, and whom do I ask for them?')
    await page.getByRole('button', { name: 'Bad answer' }).click()
    await page.getByText('Try again').waitFor()
    await fits(page)
    await page.getByRole('button', { name: 'Conversations' }).click()
    await page.locator('#threads').getByText('How many days').click()
    await page.goto(address('/login?token=let-me-in'))
    await learning.start('web:x')
    await learning.advance(3)
    await learning.finish('refuse')
    await page.reload()
    await page.locator('#plot-loss canvas').waitFor()
    await fits(page)
  })

  it('does not move what is read when the reply ends', async () => {
    const held = Promise.withResolvers<void>()
    script = () => ({ chunks: ['One line of text.', held.promise] })
    await send('Go')
    await messages().getByText('One line of text.').waitFor()
    type Box = Awaited<ReturnType<ReturnType<typeof messages>['boundingBox']>>
    // None for a moment, where the newest state is just being put in its place.
    const place = async (): Promise<Box> =>
      (await messages().getByText('One line of text.').boundingBox()) ?? (await place())
    const before = await place()
    held.resolve()
    await page.locator('.bar').waitFor()
    assert.deepEqual(await place(), before)
  })

  it('is dark where the reader’s system is', async () => {
    await open({ colorScheme: 'dark' })
    const [r = 255] = await page.evaluate(
      () => getComputedStyle(document.body).backgroundColor.match(/\d+/g)?.map(Number) ?? [],
    )
    assert.ok(r < 60)
  })

  it('asks an example at a press', async () => {
    await page.getByRole('button', { name: 'When is it open?' }).click()
    await page.locator('.bar').waitFor()
    const [event] = bot.received
    assert.equal(event?.kind === 'message' && event.text, 'When is it open?')
  })
}

async function fits(page: Page): Promise<void> {
  const { wide, window } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    window: innerWidth,
  }))
  assert.ok(wide <= window, `the page is ${wide} px wide in a window of ${window} px`)
}

/** Resolves when a canvas is drawn on: when more than 500 of its pixels are not empty. */
async function inked(page: Page, selector: string): Promise<void> {
  await page.waitForFunction((where) => {
    const canvas = document.querySelector<HTMLCanvasElement>(where)
    if (!canvas?.width) return false
    const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] }
    return Array.from(data).filter((value, at) => at % 4 === 3 && value > 0).length > 500
  }, selector)
}
