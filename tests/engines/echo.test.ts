import assert from 'node:assert/strict'
import { echo } from '../../src/engines/echo.ts'
import { ask, engineContract, run } from '../contracts/engine.ts'

engineContract('echo', { open: async () => echo() })

describe('echo', () => {
  it('says the last user message back', async () => {
    const { text, reason } = await run(echo(), [...ask('first'), ...ask('what is  this?')])
    assert.equal(text, 'what is  this?')
    assert.equal(reason, 'stop')
  })

  it('counts only the words after the prefix that a thread already had', async () => {
    const engine = echo()
    const start = ask('a b c')
    await run(engine, start, { cacheKey: 't1' })
    const next = [...start, { role: 'assistant' as const, content: 'a b c' }, ...ask('d')]
    assert.deepEqual((await run(engine, next, { cacheKey: 't1' })).usage, { prompt: 10, evaluated: 6, completion: 1 })
    assert.equal((await run(engine, next, { cacheKey: 't2' })).usage.evaluated, 10)
  })

  it('scores a reply that repeats the question above one that does not', async () => {
    const same = await echo().score?.(ask('red green'), 'green red')
    const other = await echo().score?.(ask('red green'), 'blue white')
    assert.ok(same && other && same.logProbability > other.logProbability)
  })
})
