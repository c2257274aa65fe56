import assert from 'node:assert/strict'
import { emitting } from '../../src/emitting.ts'
import { createQueue } from '../../src/queue.ts'

describe('the queue', () => {
  it('runs the jobs of one key one after the other, in order', async () => {
    const queue = createQueue()
    const seen: string[] = []
    const gate = Promise.withResolvers<void>()
    const first = queue.add('a', async () => {
      await gate.promise
      seen.push('first')
    })
    const second = queue.add('a', async () => void seen.push('second'))
    await queue.add('b', async () => void seen.push('other key'))
    gate.resolve()
    await Promise.all([first, second])
    assert.deepEqual(seen, ['other key', 'first', 'second'])
  })

  it('goes on after a job that failed', async () => {
    const queue = createQueue()
    await assert.rejects(
      queue.add('a', async () => Promise.reject(new Error('no'))),
      /no/,
    )
    assert.equal(await queue.add('a', async () => 7), 7)
    await queue.idle()
    assert.equal(queue.size, 0)
  })
})

describe('emitting', () => {
  it('gives every value, then the error', async () => {
    const seen: number[] = []
    const values = emitting<number>(async (emit) => {
      emit(1)
      await Promise.resolve()
      emit(2)
      throw new Error('after two')
    })
    await assert.rejects(async () => {
      for await (const value of values) seen.push(value)
    }, /after two/)
    assert.deepEqual(seen, [1, 2])
  })
})
