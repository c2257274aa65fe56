import assert from 'node:assert/strict'
import { LLMock } from '@copilotkit/aimock'
import { http, httpEmbedder } from '../../src/engines/http/index.ts'
import { HoneError } from '../../src/errors.ts'
import { silent } from '../../src/log.ts'
import { ask, run } from '../contracts/engine.ts'

/** Somebody else's idea of an OpenAI server: https://github.com/CopilotKit/aimock. */
describe('the http engine on aimock', () => {
  const mock = new LLMock({ port: 0, logLevel: 'silent', chunkSize: 4 })
  const open = () =>
    http({ url: `${mock.url}/v1`, key: 'any', model: 'gpt-4o', log: silent })({ id: 'v0', base: 'gpt-4o' })

  before(async () => {
    mock.onMessage('opening hours', { content: 'From nine to five, except on Sundays. Grüße 🙂' })
    await mock.start()
  })
  after(() => mock.stop())

  it('streams a reply', async () => {
    await using engine = await open()
    const { text, deltas, reason, usage } = await run(engine, ask('What are the opening hours?'))
    assert.equal(text, 'From nine to five, except on Sundays. Grüße 🙂')
    assert.ok(deltas.length > 5)
    assert.equal(reason, 'stop')
    assert.ok(usage.prompt > 0 && usage.completion > 0)
  })

  it('converts its errors', async () => {
    await using engine = await open()
    mock.nextRequestError(500, { message: 'it burns' })
    await assert.rejects(
      run(engine, ask('What are the opening hours?')),
      (error) => error instanceof HoneError && error.code === 'ENGINE_FAILED' && /it burns/.test(error.message),
    )
  })

  it('embeds', async () => {
    const embed = httpEmbedder({ url: `${mock.url}/v1`, model: 'text-embedding-3-small', log: silent })
    const [one, two, again] = await embed(['a', 'b', 'a'])
    assert.ok(one && two && Math.abs(Math.hypot(...one) - 1) < 1e-3)
    assert.deepEqual(again, one)
    assert.notDeepEqual(two, one)
  })
})
