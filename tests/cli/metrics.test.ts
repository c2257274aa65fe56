import assert from 'node:assert/strict'
import { createMetrics, mayRead } from '../../src/cli/metrics.ts'
import { openHouse } from '../training/house.ts'

describe('the metrics', () => {
  it('count replies, their tokens, votes and versions', async () => {
    await using house = await openHouse({ pairs: 3 })
    const { meter, text } = createMetrics()
    const good = await house.store.turns.get('good-web-0')
    assert.ok(good?.role === 'assistant')
    const turn = (prompt: number, evaluated: number) => ({ ...good, usage: { prompt, evaluated, completion: 5 } })
    meter.reply({ thread: 't', ms: 400, turns: [turn(100, 100)] })
    meter.reply({ thread: 't', ms: 400, turns: [turn(160, 61)] })
    meter.reply({ thread: 't', ms: 900, turns: [], code: 'ENGINE_FAILED' })
    meter.queue(2)
    const lines = (
      await text({
        store: async () => house.store,
        slot: async () => house.slot,
        learning: async () => house.learning,
      })
    ).split('\n')
    for (const line of [
      'hone_replies_total{version="v0",outcome="answered"} 2',
      'hone_replies_total{version="none",outcome="ENGINE_FAILED"} 1',
      'hone_reply_seconds_bucket{le="0.5"} 2',
      'hone_reply_seconds_count 2',
      'hone_prompt_tokens_total{kind="necessary"} 160',
      'hone_prompt_tokens_total{kind="evaluated"} 161',
      'hone_reply_tokens_total 10',
      'hone_queue_size 2',
      'hone_votes{version="v0",verdict="up"} 3',
      'hone_votes{version="v0",verdict="down"} 3',
      'hone_serving{version="v0"} 1',
      'hone_versions 0',
    ])
      assert.ok(lines.includes(line), line)
  })

  it('are for this machine, or for who has the admin token', () => {
    const ask = (url: string, headers = {}) => new Request(url, { headers })
    assert.ok(mayRead(ask('http://127.0.0.1:3978/metrics'), '127.0.0.1', 'secret'))
    for (const [request, address] of [
      [ask('http://192.168.0.4:3978/metrics'), '192.168.0.9'],
      [ask('http://elsewhere.example/metrics'), '127.0.0.1'],
      [ask('http://127.0.0.1/metrics', { 'x-forwarded-for': '203.0.113.9' }), '127.0.0.1'],
      [ask('http://192.168.0.4/metrics', { authorization: 'Bearer guess' }), '192.168.0.9'],
    ] as const)
      assert.ok(!mayRead(request, address, 'secret'), request.url)
    const signed = ask('http://192.168.0.4/metrics', { authorization: 'Bearer secret' })
    assert.ok(mayRead(signed, '192.168.0.9', 'secret'))
  })
})
