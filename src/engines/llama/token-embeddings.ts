import { closeSync, openSync, readSync } from 'node:fs'
import { HoneError } from '../../errors.ts'
import { decoderOf } from './floats.ts'

/** A model's input embeddings: one row a token. */
export interface TokenEmbeddings extends Disposable {
  readonly rows: number
  readonly width: number
  /** The vocabulary, in the order of the rows; empty where the file has none. */
  readonly tokens: readonly string[]
  /** The row of one token id; read from the file each time. */
  row(token: number): Float32Array
}

const tensorName = 'token_embd.weight'

/**
 * Opens the token embeddings of a GGUF without loading the model. Dispose it to close the file.
 *
 * @throws HoneError MODEL_FILE when the file has none or stores them in a way that can't be read
 * @example using table = await readTokenEmbeddings('starter.gguf'); table.row(42)
 */
export async function readTokenEmbeddings(path: string): Promise<TokenEmbeddings> {
  // Imported here, because it brings node-llama-cpp in, and the parent process otherwise needs none of it.
  const { readGguf } = await import('./check.ts')
  const info = await readGguf(path)
  const tensor = info.tensorInfo?.find(({ name }) => name === tensorName)
  if (!tensor) throw new HoneError('MODEL_FILE', `${path} has no ${tensorName}.`)
  const [width = 0, rows = 0] = tensor.dimensions.map(Number)
  const decoder = decoderOf(tensor.ggmlType, tensorName)
  const buffer = Buffer.alloc(decoder.bytes(width))
  const file = openSync(path, 'r')
  return {
    rows,
    width,
    tokens: (info.metadata as { tokenizer?: { ggml?: { tokens?: readonly string[] } } }).tokenizer?.ggml?.tokens ?? [],
    row(token) {
      if (!(token >= 0 && token < rows)) throw new HoneError('INPUT', `There is no token ${token}; there are ${rows}.`)
      readSync(file, buffer, 0, buffer.length, Number(tensor.fileOffset) + token * buffer.length)
      return decoder.decode(buffer, width)
    },
    [Symbol.dispose]: () => closeSync(file),
  }
}
