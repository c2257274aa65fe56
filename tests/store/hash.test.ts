import assert from 'node:assert/strict'
import { canonicalJson, sha256 } from '../../src/store/index.ts'

describe('The hash of a prompt', () => {
  it('is the same whatever the order of keys', () => {
    assert.equal(
      canonicalJson([{ role: 'user', content: 'Hi', n: { b: 1, a: [2, null] } }]),
      '[{"content":"Hi","n":{"a":[2,null],"b":1},"role":"user"}]',
    )
  })
  it('is the one that Python computes from sorted, compact JSON', () => {
    // json.dumps(messages, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    const messages = [
      { role: 'system', content: 'Sei kurz. 🦉\n"<|im_end|>"' },
      { role: 'user', content: 'Wie viele Tage?' },
    ]
    assert.equal(sha256(canonicalJson(messages)), 'e6b3ef1eb9b09b0e0909904d566de2c26ac7a5f0a10510550c2c939895e1809a')
  })
})
