import assert from 'node:assert/strict'
import { createPacer } from '../../../adapters/shared/pace.ts'

/** A clock that moves only when someone waits. */
function clock() {
  let time = 0
  return {
    now: () => time,
    wait: async (ms: number) => {
      time += ms
    },
    pass: (ms: number) => {
      time += ms
    },
  }
}

describe('the pacer', () => {
  it('lets a burst go at once and the rest at the rate', async () => {
    const { now, wait } = clock()
    const pacer = createPacer({ capacity: 3, perMinute: 60, now, wait })
    const gone: number[] = []
    await Promise.all(Array.from({ length: 6 }, () => pacer.take('a').then(() => gone.push(now()))))
    assert.deepEqual(gone, [0, 0, 0, 1000, 2000, 3000])
  })

  it('never lets more go in any minute than the bucket holds and the rate gives', async () => {
    const { now, wait } = clock()
    const pacer = createPacer({ capacity: 5, perMinute: 100, now, wait })
    const gone: number[] = []
    for (let i = 0; i < 400; i++) {
      await pacer.take('a')
      gone.push(now())
    }
    const most = Math.max(...gone.map((from) => gone.filter((at) => at >= from && at < from + 60_000).length))
    assert.ok(most <= 105, `${most} calls in one minute`)
    assert.ok(most >= 100, `${most} calls in one minute: it idles`)
  })

  it('serves those who wait in the order they came', async () => {
    const pacer = createPacer({ capacity: 1, perMinute: 60, ...clock() })
    const order: number[] = []
    await Promise.all([1, 2, 3, 4].map((n) => pacer.take('a').then(() => order.push(n))))
    assert.deepEqual(order, [1, 2, 3, 4])
  })

  it('keeps keys apart', async () => {
    const pacer = createPacer({ capacity: 1, perMinute: 1, ...clock() })
    assert.equal(pacer.tryTake('a'), true)
    assert.equal(pacer.tryTake('a'), false)
    assert.equal(pacer.tryTake('b'), true)
  })

  it('does not let tryTake go before those who wait', async () => {
    const { now, pass } = clock()
    const held = Promise.withResolvers<void>()
    const pacer = createPacer({ capacity: 1, perMinute: 60, now, wait: () => held.promise })
    await pacer.take('a')
    const waiting = pacer.take('a')
    pass(1000)
    assert.equal(pacer.tryTake('a'), false)
    held.resolve()
    await waiting
  })

  it('pauses for as long as the platform asks', async () => {
    const { now, wait } = clock()
    const pacer = createPacer({ capacity: 10, perMinute: 600, now, wait })
    pacer.pause('a', 30_000)
    assert.equal(pacer.tryTake('a'), false)
    await pacer.take('a')
    assert.equal(now(), 30_000)
  })

  it('goes on after a wait that failed', async () => {
    const { now, pass } = clock()
    const pacer = createPacer({ capacity: 1, perMinute: 60, now, wait: () => Promise.reject(new Error('stopped')) })
    await pacer.take('a')
    await assert.rejects(pacer.take('a'), /stopped/)
    pass(1000)
    await pacer.take('a')
  })
})
