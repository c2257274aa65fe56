import { HoneError } from '../../errors.ts'

/** How the numbers of one tensor type are stored. */
export interface FloatDecoder {
  /** Bytes that `count` numbers take. */
  bytes(count: number): number
  decode(bytes: Buffer, count: number): Float32Array
}

type Block = (bytes: Buffer, at: number, out: Float32Array, to: number) => void

/** Type number in GGUF → numbers a block, bytes a block, decoder of a block (layouts: ggml's `ggml-common.h`). */
const types: Readonly<Record<number, readonly [count: number, bytes: number, block: Block]>> = {
  0: [1, 4, (bytes, at, out, to) => out.fill(bytes.readFloatLE(at), to, to + 1)],
  1: [1, 2, (bytes, at, out, to) => out.fill(half(bytes.readUInt16LE(at)), to, to + 1)],
  2: [32, 18, q4],
  8: [32, 34, q8],
  14: [256, 210, q6],
  30: [1, 2, (bytes, at, out, to) => out.fill(brain(bytes.readUInt16LE(at)), to, to + 1)],
}

/**
 * Decodes F32, F16, BF16, Q8_0, Q4_0 and Q6_K.
 *
 * @throws HoneError MODEL_FILE for any other type
 */
export function decoderOf(type: number, name: string): FloatDecoder {
  const known = types[type]
  if (!known) {
    const message = `${name} is stored as GGUF type ${type}; only F32, F16, BF16, Q8_0, Q4_0 and Q6_K can be read.`
    throw new HoneError('MODEL_FILE', message)
  }
  const [perBlock, blockBytes, block] = known
  return {
    bytes: (count) => (count / perBlock) * blockBytes,
    decode(bytes, count) {
      const out = new Float32Array(count)
      for (let at = 0, to = 0; to < count; at += blockBytes, to += perBlock) block(bytes, at, out, to)
      return out
    },
  }
}

const scratch = new DataView(new ArrayBuffer(4))

function brain(bits: number): number {
  scratch.setUint32(0, bits << 16)
  return scratch.getFloat32(0)
}

/** IEEE 754 half precision. */
export function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** One scale, then 32 signed bytes. */
function q8(bytes: Buffer, at: number, out: Float32Array, to: number): void {
  const scale = half(bytes.readUInt16LE(at))
  for (let i = 0; i < 32; i++) out[to + i] = scale * bytes.readInt8(at + 2 + i)
}

/** One scale, then 16 bytes: the low halves are numbers 0–15, the high halves 16–31, all minus 8. */
function q4(bytes: Buffer, at: number, out: Float32Array, to: number): void {
  const scale = half(bytes.readUInt16LE(at))
  for (let i = 0; i < 16; i++) {
    const pair = bytes.readUInt8(at + 2 + i)
    out[to + i] = scale * ((pair & 15) - 8)
    out[to + 16 + i] = scale * ((pair >> 4) - 8)
  }
}

/** 128 bytes of low 4 bits, 64 of high 2 bits, 16 signed scales, one half: two groups of 128 numbers, minus 32. */
function q6(bytes: Buffer, at: number, out: Float32Array, to: number): void {
  const scale = half(bytes.readUInt16LE(at + 208))
  for (let group = 0; group < 2; group++) {
    const [low, high, scales] = [at + group * 64, at + 128 + group * 32, at + 192 + group * 8]
    for (let i = 0; i < 32; i++) {
      const top = bytes.readUInt8(high + i)
      for (let quarter = 0; quarter < 4; quarter++) {
        const byte = bytes.readUInt8(low + i + (quarter % 2) * 32)
        const bits = (quarter < 2 ? byte & 15 : byte >> 4) | (((top >> (quarter * 2)) & 3) << 4)
        const own = bytes.readInt8(scales + (i >> 4) + quarter * 2)
        out[to + group * 128 + quarter * 32 + i] = scale * own * (bits - 32)
      }
    }
  }
}
