import assert from 'node:assert/strict'
import fc from 'fast-check'
import { sse } from '../../src/engines/http/sse.ts'

const all = (...parts: readonly string[]) => {
  const reader = sse()
  return [...parts.flatMap((part) => reader.push(part)), ...reader.end()]
}

describe('the reader of server-sent events', () => {
  it('answers the data of each event', () => {
    assert.deepEqual(all('data: one\n\ndata: two\n\n'), ['one', 'two'])
  })

  it('leaves out comments and other fields', () => {
    assert.deepEqual(all(': ping\n\nevent: x\nid: 7\nretry: 10\ndata: one\n\n:\n'), ['one'])
  })

  it('joins several data lines of one event', () => {
    assert.deepEqual(all('data: one\ndata: two\n\n'), ['one\ntwo'])
  })

  it('takes away one space after the colon and no more', () => {
    assert.deepEqual(all('data:one\n\ndata:  two\n\n'), ['one', ' two'])
  })

  it('reads lines that end in CRLF, CR and LF', () => {
    assert.deepEqual(all('data: one\r\n\r\ndata: two\r\rdata: three\n\n'), ['one', 'two', 'three'])
  })

  it('forgets a byte order mark at the very start', () => {
    assert.deepEqual(all('\uFEFFdata: one\n\n'), ['one'])
  })

  it('gives the last event even if the stream ends without a blank line', () => {
    assert.deepEqual(all('data: one\n\ndata: [DONE]'), ['one', '[DONE]'])
    assert.deepEqual(all('data: one\r'), ['one'])
  })

  it('does not depend on where the text is cut', () => {
    const text = fc.stringMatching(/^[a-z :{}]{0,12}$/)
    const lines = fc.oneof(
      text.map((t) => `data: ${t}`),
      text.map((t) => `:${t}`),
      fc.constant(''),
    )
    const stream = fc.array(fc.tuple(lines, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 12 })
    fc.assert(
      fc.property(stream, fc.array(fc.nat(40), { maxLength: 8 }), (parts, cuts) => {
        const whole = parts.map(([line, end]) => line + end).join('')
        const at = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length]
        const pieces = at.slice(1).map((end, i) => whole.slice(at[i], end))
        assert.deepEqual(all(...pieces), all(whole))
      }),
    )
  })
})
