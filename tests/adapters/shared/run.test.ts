import assert from 'node:assert/strict'
import { checkMark, checkText, followRun, type RunView, sparkline } from '../../../adapters/shared/run.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { type FakeLearning, fakeLearning } from '../../fakes/learning.ts'
import { memoryStore } from '../../fakes/memory-store.ts'

/** A clock whose waits end when a test says so. */
function stoppedClock() {
  const waits: (() => void)[] = []
  return { wait: () => new Promise<void>((resolve) => waits.push(resolve)), tick: () => waits.shift()?.() }
}
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('following a training run', () => {
  let learning: FakeLearning
  let views: RunView[]
  const bot = () => fakeBot({ learning })
  const show = (view: RunView) => void views.push(view)
  beforeEach(() => {
    learning = fakeLearning(memoryStore())
    views = []
  })

  it('shows steps, loss, time left and how it ended', async () => {
    const followed = followRun(bot(), show, { wait: async () => undefined })
    await settle()
    await learning.start('web:anna')
    await learning.advance(3)
    await learning.finish('promote')
    const last = await followed
    assert.deepEqual(views.at(-1), last)
    assert.equal(last?.ended, 'promoted')
    assert.equal(last?.step, 3)
    assert.equal(last?.steps, 40)
    assert.equal(last?.etaSeconds, 74)
    assert.equal(last?.spark.length, 3)
    assert.equal(last?.gate?.verdict, 'promote')
  })

  it('shows no more often than it may, the newest state, and the end at once', async () => {
    const clock = stoppedClock()
    const followed = followRun(bot(), show, { wait: clock.wait })
    await settle()
    await learning.start('web:anna')
    await settle()
    await learning.advance(20)
    await settle()
    assert.equal(views.length, 1)
    clock.tick()
    await settle()
    assert.deepEqual(
      views.map(({ step }) => step),
      [0, 20],
    )
    await learning.finish('hold')
    await followed
    assert.equal(views.length, 3)
    assert.equal(views[2]?.ended, 'held')
  })

  it('goes on when a view could not be shown', async () => {
    const failures: unknown[] = []
    const followed = followRun(bot(), () => Promise.reject(new Error('gone')), {
      wait: async () => undefined,
      failed: (error) => failures.push(error),
    })
    await settle()
    await learning.start('web:anna')
    await settle()
    await learning.finish('refuse')
    assert.equal((await followed)?.ended, 'refused')
    assert.ok(failures.length >= 2)
  })

  it('ends when it is told to, and says nothing where nothing trains', async () => {
    const stop = new AbortController()
    const followed = followRun(bot(), show, { signal: stop.signal })
    await settle()
    stop.abort()
    assert.equal(await followed, undefined)
    assert.equal(await followRun(fakeBot(), show), undefined)
  })

  it('draws the course of a figure', () => {
    assert.equal(sparkline([3, 2, 1]), '█▅▁')
    assert.equal(sparkline([1, 1]), '▁▁')
    assert.equal(sparkline([]), '')
  })

  it('tells what a check of the gate came to, and who has to weigh it', () => {
    const check = { id: 'a', what: 'Answers', value: 0.91666, limit: '≥ 95 %', pass: false, n: 12 }
    assert.equal(checkText(check), 'Answers: 0.917 (≥ 95 %, n = 12)')
    assert.equal(checkText({ ...check, interval: [0.71, 0.98123] }), 'Answers: 0.917 (≥ 95 %, 0.71 to 0.981, n = 12)')
    assert.deepEqual([check, { ...check, onFail: 'hold' as const }, { ...check, pass: true }].map(checkMark), [
      '✖',
      '?',
      '✔',
    ])
  })
})
