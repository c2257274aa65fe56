import assert from 'node:assert/strict'
import { decoderOf, half } from '../../src/engines/llama/floats.ts'

/** Type, bytes in base 64, some of the numbers, the sum of all: as the `gguf` package for Python (0.19) reads them. */
const golden = [
  {
    type: 2,
    count: 64,
    bytes: 'ALQoN0ZVZHOCkaGwwNDg8PHxADTA0ODw8fHy8/T19vfo2cq7',
    some: { 0: 0, 1: 0.25, 15: 1.75, 16: 1.5, 31: -1.75, 32: -2, 63: 0.75 },
    sum: 25.75,
  },
  {
    type: 8,
    count: 64,
    bytes: 'CCQAEiQ1RVNga3R6fn9+enNrYFNFNSQSAO7cy7utoJWMhggkgoGCho2VoK28zN3uABIkNUVTYGt0en5/fnpza2BTRDQ=',
    some: { 0: 0, 1: 0.28344727, 15: 1.6849365, 16: 1.5117188, 31: -1.9211426, 32: -1.9841309, 63: 0.81884766 },
    sum: 27.163696,
  },
  {
    type: 14,
    count: 256,
    bytes:
      '/+QiefO9BoNmqFLBu5ZR880Y7Aj2pOck0m+s0q6w2vKpcs0/oC/UT0hweN5FH19sJG3uRTNR5NPKOspBTEbBaCr60aQCLLKMYgLzFTIdDgc1MpfdLjzmwKScf9aawsOJSJlK0TpMaVQK1eJzqHbWyUUZuR8kLZ5NLgzaHwxwGHQLghb6gY5QIl21IGKlaTJnVSVk54SkFTTs/ZOAkvcmQ/MWEwUx5hfARZfgD03eyEd2/Ix/x3k1fE2m7x3XlxH7ADXFv3QqL/beI5QXZNWLuR8h',
    some: {
      31: 9.542038,
      32: -5.3111343,
      64: -19.724213,
      96: -10.342209,
      127: 1.0002136,
      128: -8.841888,
      255: -16.333488,
    },
    sum: 82.44761,
  },
]

describe('stored numbers', () => {
  it('are read as half and bfloat floats', () => {
    assert.equal(half(0x3c00), 1)
    assert.equal(half(0xc000), -2)
    assert.equal(half(0x0001), 2 ** -24)
    assert.equal(half(0x7c00), Number.POSITIVE_INFINITY)
    assert.ok(Number.isNaN(half(0x7e00)))
    assert.deepEqual([...decoderOf(30, 'x').decode(Buffer.from([0x80, 0x3f, 0x00, 0xc0]), 2)], [1, -2])
    assert.deepEqual([...decoderOf(0, 'x').decode(Buffer.from(Float32Array.of(0.5, -3).buffer), 2)], [0.5, -3])
  })

  it('are read from blocks of Q4_0, Q8_0 and Q6_K', () => {
    for (const { type, count, bytes, some, sum } of golden) {
      const decoder = decoderOf(type, 'x')
      const buffer = Buffer.from(bytes, 'base64')
      assert.equal(decoder.bytes(count), buffer.length)
      const values = decoder.decode(buffer, count)
      for (const [index, value] of Object.entries(some)) {
        assert.ok(Math.abs((values[Number(index)] ?? Number.NaN) - value) < 1e-5, `type ${type}, ${index}`)
      }
      assert.ok(Math.abs(values.reduce((total, value) => total + value, 0) - sum) < 1e-3)
    }
  })

  it('are refused in a type that is not known', () => {
    assert.throws(() => decoderOf(99, 'token_embd.weight'), { code: 'MODEL_FILE', message: /token_embd.weight/ })
  })
})
