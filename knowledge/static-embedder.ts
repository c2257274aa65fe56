import { createHash } from 'node:crypto'
import { type Embedder, unit } from './embedder.ts'
import { contentWords } from './index/terms.ts'

/** The token embeddings of a model: `rows` vectors of `width` numbers. */
export interface TokenRows {
  readonly rows: number
  readonly width: number
  row(token: number): Float32Array
}

export interface StaticEmbedderOptions {
  /** Names the model that the rows come from, e.g. its file's hash. */
  readonly id: string
  readonly tokenize: (texts: readonly string[]) => Promise<readonly (readonly number[])[]>
  readonly rows: TokenRows
  /** The `a` of `a / (a + p(token))`: smaller gives rare words more weight. */
  readonly smoothing?: number
  /** Take out what all passages have in common (the first principal component). */
  readonly removeCommon?: boolean
}

interface State {
  readonly total: number
  readonly counts: readonly (readonly [token: number, count: number])[]
  readonly common?: readonly number[]
}

interface Weights {
  readonly of: (token: number) => number
  readonly common?: Float32Array
}

/**
 * An embedder without a model run: the mean of a text's token embeddings, where frequent tokens count less.
 * Weights are a / (a + p(token)), with p from the indexed corpus itself, less the common component: Arora, Liang and
 * Ma, "A simple but tough-to-beat baseline for sentence embeddings", ICLR 2017.
 *
 * @example staticEmbedder({ id: sha256, tokenize: (texts) => engine.tokenize(texts), rows: readTokenRows(path) })
 */
export function staticEmbedder(options: StaticEmbedderOptions): Embedder {
  const rows = keepingRows(options.rows)
  return withWeights({ ...options, rows }, { of: () => 1 }, `static:${options.id}`)
}

/** Rows at unit length, those read once kept up to 64 MB: a text's tokens are mostly the ones of other texts. */
function keepingRows(rows: TokenRows): TokenRows {
  const kept = new Map<number, Float32Array>()
  const most = Math.floor((64 * 1024 * 1024) / (rows.width * 4))
  return {
    rows: rows.rows,
    width: rows.width,
    row(token) {
      const known = kept.get(token)
      if (known) return known
      const fresh = unit(rows.row(token))
      if (kept.size < most) kept.set(token, fresh)
      return fresh
    },
  }
}

function withWeights(options: StaticEmbedderOptions, weights: Weights, id: string): Embedder {
  return {
    id,
    width: options.rows.width,
    async embed(texts, kind, signal) {
      // A corpus of statements says little of how frequent "how" and "what" are, so questions lose them by list.
      const said = kind === 'query' ? texts.map((text) => contentWords(text).join(' ')) : texts
      const tokens = await tokenized(options, said, signal)
      return tokens.map((one) => unit(without(pooled(one, options.rows, weights), weights.common)))
    },
    fitting: {
      learn: (texts, signal) => learn(options, texts, signal),
      apply(state) {
        const hash = createHash('sha256').update(state).digest('hex').slice(0, 12)
        return withWeights(options, readState(state, smoothing(options)), `static:${options.id}:${hash}`)
      },
    },
  }
}

const smoothing = (options: StaticEmbedderOptions) => options.smoothing ?? 1e-3

/** Case is no part of the meaning here, and a leading space makes the first word the same token as inside a text. */
async function tokenized(options: StaticEmbedderOptions, texts: readonly string[], signal?: AbortSignal) {
  signal?.throwIfAborted()
  return options.tokenize(
    texts.map(
      (text) =>
        ` ${text
          .toLowerCase()
          .replace(/[\s#*_`|>]+/g, ' ')
          .trim()}`,
    ),
  )
}

function pooled(tokens: readonly number[], rows: TokenRows, weights: Weights): Float32Array {
  const sum = new Float32Array(rows.width)
  for (const token of tokens) {
    if (token < 0 || token >= rows.rows) continue
    const weight = weights.of(token)
    const row = rows.row(token)
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + weight * (row[i] as number)
  }
  return sum
}

async function learn(options: StaticEmbedderOptions, texts: readonly string[], signal?: AbortSignal): Promise<string> {
  const counts = new Map<number, number>()
  let total = 0
  const all: (readonly number[])[] = []
  for (let at = 0; at < texts.length; at += 256) {
    for (const tokens of await tokenized(options, texts.slice(at, at + 256), signal)) {
      all.push(tokens)
      total += tokens.length
      for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1)
    }
  }
  const state: State = { total, counts: [...counts].sort((a, b) => a[0] - b[0]) }
  if (options.removeCommon !== true || all.length < 2) return JSON.stringify(state)
  const weights = readState(JSON.stringify(state), smoothing(options))
  const vectors = all.map((tokens) => unit(pooled(tokens, options.rows, weights)))
  const common = principal(vectors, options.rows.width)
  return JSON.stringify({ ...state, common: [...common].map((value) => Number(value.toPrecision(7))) })
}

function readState(text: string, a: number): Weights {
  const state = JSON.parse(text) as State
  const counts = new Map(state.counts)
  const of = (token: number) => a / (a + (counts.get(token) ?? 0) / Math.max(1, state.total))
  return { of, ...(state.common && { common: unit(Float32Array.from(state.common)) }) }
}

/** The first principal direction of vectors around the origin, by power iteration from their mean. */
function principal(vectors: readonly Float32Array[], width: number): Float32Array {
  let direction: Float32Array = new Float32Array(width)
  for (const vector of vectors) addTo(direction, vector, 1)
  direction = unit(direction)
  for (let round = 0; round < 20; round++) {
    const next = new Float32Array(width)
    for (const vector of vectors) addTo(next, vector, dot(vector, direction))
    direction = unit(next)
  }
  return direction
}

function without(vector: Float32Array, common: Float32Array | undefined): Float32Array {
  if (common) addTo(vector, common, -dot(vector, common))
  return vector
}

function addTo(target: Float32Array, vector: Float32Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + factor * (vector[i] as number)
}

/** The inner product of two vectors of one width. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}
