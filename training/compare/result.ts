import { mkdir, readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { asHoneError } from '../../src/errors.ts'
import type { CompareBudget } from '../../src/ports/compare.ts'
import { writeDurably } from '../files.ts'

// JSON has no NaN: a number that was none comes back as null.
const number = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN)

const result = z.object({
  row: z.string(),
  /** Why there is nothing to measure. */
  failed: z.string().exactOptional(),
  /** A held-out question: how much nearer the fresh answer is to the chosen than to the rejected text, -1 to 1. */
  leans: z.array(number),
  /** A held-out prompt: share of its pairs whose chosen text is likelier. Empty where the engine gives no scores. */
  prefers: z.array(number),
  /** A held-out question whose chosen text has values from the passages: whether the fresh answer has them. */
  values: z.array(z.boolean()),
  /** A golden question of either kind: whether it was answered right, or declined. */
  right: z.array(z.boolean()),
  declines: z.array(z.boolean()),
  perplexity: number,
  tokens: number,
  trainSeconds: z.number(),
  measureSeconds: z.number(),
  memoryMb: z.number().exactOptional(),
})

/** What is kept of a measured row: numbers alone, nothing that anybody said. */
export type RowResult = z.output<typeof result>

const head = z.object({
  format: z.literal(1),
  hash: z.string(),
  /** SHA-256 of the base model, as manifests name it. Absent in comparisons of an older Hone. */
  base: z.string().exactOptional(),
  startedAt: z.coerce.date(),
  heldOut: z.number(),
  budget: z.object({
    minutes: z.number(),
    rows: z.number().exactOptional(),
    epochs: z.number().exactOptional(),
    seed: z.number(),
  }),
  /** Techniques that were asked for and can't run here, by id, with why. */
  cannot: z.record(z.string(), z.string()),
  /** Ids of the techniques that were asked for. */
  rows: z.array(z.string()),
})

/** What a comparison is of: written when it starts. */
export type CompareHead = z.output<typeof head> & { readonly budget: CompareBudget }

/** A comparison as it lies on the disk. */
export interface Kept {
  readonly head: CompareHead
  readonly results: readonly RowResult[]
}

/** Comparisons on the disk: `<folder>/<hash>/comparison.json`, and `<row>.json` once a row is measured. */
export interface CompareStore {
  begin(head: CompareHead): Promise<void>
  /** Whole or not at all. */
  put(hash: string, row: RowResult): Promise<void>
  get(hash: string): Promise<Kept | undefined>
  /** The newest first. */
  all(): Promise<readonly Kept[]>
  last(): Promise<Kept | undefined>
}

const headName = 'comparison.json'

/** @example const store = compareStore(join(dataDir, 'compare')); await store.last() */
export function compareStore(folder: string): CompareStore {
  const place = (hash: string): string => join(folder, hash.slice(0, 16))
  async function write(hash: string, name: string, value: object): Promise<void> {
    const path = join(place(hash), name)
    try {
      await mkdir(place(hash), { recursive: true })
      await writeDurably(`${path}.part`, `${JSON.stringify(value)}\n`)
      await rename(`${path}.part`, path)
    } catch (error) {
      throw asHoneError(error, 'STORE', 'A result of the comparison could not be written')
    }
  }
  async function all(): Promise<readonly Kept[]> {
    const found = await Promise.all((await namesIn(folder)).map((name) => read(join(folder, name))))
    const whole = found.filter((one) => one !== undefined)
    return whole.toSorted((a, b) => b.head.startedAt.getTime() - a.head.startedAt.getTime())
  }
  return {
    begin: (value) => write(value.hash, headName, value),
    put: (hash, row) => write(hash, `${row.row}.json`, row),
    get: (hash) => read(place(hash)),
    all,
    last: async () => (await all())[0],
  }
}

async function read(folder: string): Promise<Kept | undefined> {
  const found = await readAs(head, join(folder, headName))
  if (!found) return undefined
  const names = (await namesIn(folder)).filter((name) => name.endsWith('.json') && name !== headName)
  const rows = await Promise.all(names.map((name) => readAs(result, join(folder, name))))
  return { head: found, results: rows.filter((row) => row !== undefined) }
}

/** A file of another release, or a damaged one, is as good as none: its row is measured again. */
async function readAs<T>(schema: z.ZodType<T>, path: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).toSorted()
}
