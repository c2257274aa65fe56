import assert from 'node:assert/strict'
import fc from 'fast-check'
import { neutral } from '../../src/engines/http/neutral.ts'
import { reason, retryAfterMs } from '../../src/engines/http/server.ts'
import { readPiece, toUsage } from '../../src/engines/http/wire.ts'

describe('control tokens in a text', () => {
  const markers = [
    '<|im_end|>',
    '<|eot_id|>',
    '<｜Assistant｜>',
    '</s>',
    '<bos>',
    '<end_of_turn>',
    '[INST]',
    '[/INST]',
    '<<SYS>>',
  ]

  for (const marker of markers) {
    it(`${marker} is broken up, and nothing else changes`, () => {
      const safe = neutral(`before ${marker} after`)
      assert.ok(!safe.includes(marker))
      assert.equal(safe.replaceAll('\u200B', ''), `before ${marker} after`)
    })
  }

  it('the server’s own are broken up too', () => {
    assert.ok(!neutral('a ~~END~~ b', ['~~END~~']).includes('~~END~~'))
  })

  it('ordinary markup and code stay as they are', () => {
    for (const text of ['<div class="s">x</div>', 'a || b', 'if (a < b && c > d) [x]', '<S> <Sys>', 'x <|> y']) {
      assert.equal(neutral(text), text)
    }
  })

  it('no marker survives in any text', () => {
    const text = fc.array(fc.oneof(fc.constantFrom(...markers, '<', '|', '>'), fc.string({ maxLength: 4 })))
    fc.assert(
      fc.property(text, (parts) => {
        const safe = neutral(parts.join(''))
        for (const marker of markers) assert.ok(!safe.includes(marker), marker)
      }),
    )
  })
})

describe('the wait before asking again', () => {
  it('is what the server says, in seconds or as a date', () => {
    assert.equal(retryAfterMs('3', 1), 3000)
    assert.equal(retryAfterMs('Wed, 21 Oct 2026 07:28:05 GMT', 1, Date.parse('2026-10-21T07:28:00Z')), 5000)
    assert.equal(retryAfterMs('Wed, 21 Oct 2015 07:28:00 GMT', 1), 0)
  })

  it('doubles when the server says nothing, or nothing sensible', () => {
    assert.deepEqual(
      [1, 2, 3].map((attempt) => retryAfterMs(null, attempt)),
      [500, 1000, 2000],
    )
    assert.equal(retryAfterMs('soon', 1), 500)
  })
})

describe('the words of an error', () => {
  it('are found in every form that servers use', () => {
    assert.equal(reason('{"error":{"message":"too long"}}'), 'too long')
    assert.equal(reason('{"error":"model not found"}'), 'model not found')
    assert.equal(reason('{"object":"error","message":"bad"}'), 'bad')
    assert.equal(reason('{"detail":"Not Found"}'), 'Not Found')
    assert.equal(reason('<html><h1>502</h1>\n<p>Bad Gateway</p></html>'), '502 Bad Gateway')
    assert.equal(reason(''), '')
  })

  it('are never longer than 300 characters', () => assert.equal(reason('x'.repeat(5000)).length, 300))
})

describe('a message of a chat server', () => {
  it('may lack nearly everything', () => {
    assert.deepEqual(readPiece('{}'), { text: '' })
    assert.deepEqual(readPiece('{"choices":[{"delta":{"role":"assistant","content":null}}]}'), { text: '' })
    assert.deepEqual(readPiece('{"choices":[{"delta":{},"finish_reason":"content_filter"}]}'), {
      text: '',
      ended: 'stop',
    })
  })

  it('leaves reasoning out of the reply', () => {
    assert.deepEqual(readPiece('{"choices":[{"delta":{"reasoning_content":"hm"}}]}'), { text: '' })
  })

  it('gives counts that agree even when the server’s do not', () => {
    assert.deepEqual(toUsage({ prompt: 3, cached: 9, completion: 1 }, [], 7), {
      prompt: 3,
      evaluated: 0,
      completion: 1,
    })
  })
})
