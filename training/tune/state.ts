import { mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { asHoneError } from '../../src/errors.ts'
import { removeFolder, writeDurably } from '../files.ts'
import type { Draft } from './draft.ts'
import type { Seen } from './score.ts'

const texts = z.object({
  hidden: z.array(z.string()),
  rules: z.array(z.string()),
  examples: z.array(z.object({ question: z.string(), answer: z.string() })),
})
const seen = z.object({ margin: z.number().nullable(), lean: z.number().nullable(), right: z.boolean() })

const state = z.object({
  format: z.literal(1),
  generations: z.array(z.array(z.object({ texts, what: z.string() }))),
  seen: z.record(z.string(), z.array(seen)),
  spent: z.object({ tokens: z.number(), seconds: z.number() }),
})

/** A search as it lies on the disk: a kill costs what came after the last candidate. */
export interface SearchState {
  readonly format: 1
  /** Candidates of each generation, as they were proposed. */
  readonly generations: readonly (readonly Draft[])[]
  /** What was seen of a candidate so far, case by case, by its key; `serving` is the profile that serves. */
  readonly seen: Readonly<Record<string, readonly Seen[]>>
  readonly spent: { readonly tokens: number; readonly seconds: number }
}

export const nothingYet: SearchState = { format: 1, generations: [], seen: {}, spent: { tokens: 0, seconds: 0 } }

/** Where searches are kept while they run, by what decides them. */
const folder = (dataDir: string): string => join(dataDir, 'tune')
const pathOf = (dataDir: string, hash: string) => join(folder(dataDir), hash.slice(0, 16), 'search.json')

/** The state of a search that was cut short; a damaged one, or one of another release, is as good as none. */
export async function readState(dataDir: string, hash: string): Promise<SearchState | undefined> {
  const text = await readFile(pathOf(dataDir, hash), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return state.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** Whole or not at all. */
export async function writeState(dataDir: string, hash: string, value: SearchState): Promise<void> {
  const path = pathOf(dataDir, hash)
  try {
    await mkdir(join(path, '..'), { recursive: true })
    await writeDurably(`${path}.part`, `${JSON.stringify(value)}\n`)
    await rename(`${path}.part`, path)
  } catch (error) {
    throw asHoneError(error, 'STORE', 'The state of the search could not be written')
  }
}

/** Removes a search that has its report; without `hash`, all of them: they quote what people said. */
export async function dropStates(dataDir: string, hash?: string): Promise<void> {
  await removeFolder(hash === undefined ? folder(dataDir) : join(folder(dataDir), hash.slice(0, 16)))
}
