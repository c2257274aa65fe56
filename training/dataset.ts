import { mkdir, mkdtemp, readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { asHoneError, HoneError } from '../src/errors.ts'
import type { ChatMessage } from '../src/ports/engine.ts'
import type { PairTrace } from '../src/ports/learning.ts'
import type { Method } from '../src/ports/trainer.ts'
import { feedbackRows } from './export.ts'
import { removeFolder, syncFolder, writeDurably } from './files.ts'
import { toRows } from './formats.ts'
import { seeded, sha256, shuffled } from './hash.ts'
import { methodData, usableLone } from './methods.ts'
import type { Pair, Unpaired } from './pairs.ts'
import type { Selection } from './select.ts'
import { distinctThrees } from './text.ts'

/** A prompt and the base model's own answer: what training must not unlearn. */
export interface ReplayRow {
  readonly prompt: readonly ChatMessage[]
  readonly completion: string
  /** What a model would say that learned the form of the chosen replies and no longer looks whether the passages say it. */
  readonly rejected?: string
}

/** A teacher's explained answers, and how many were dropped for which reason. */
export interface Explained {
  readonly rows: readonly ReplayRow[]
  readonly leftOut: Readonly<Record<string, number>>
}

/**
 * Replies that people liked, whole with the explanations that were kept of them, under the prompts that asked for those:
 * what the methods that learn from rows of SFT learn from besides. Preferences are about answers, so other methods have no use for them.
 */
export function keptExplanations({ train, unpaired }: Pick<Selection, 'train' | 'unpaired'>): readonly ReplayRow[] {
  const rows = [...train, ...unpaired].flatMap(({ explained }) => explained ?? [])
  const sound = rows.filter(({ completion }) => distinctThrees(completion) >= 0.7)
  return [...new Map(sound.map((row) => [JSON.stringify(row), row])).values()]
}

/** What is frozen into one dataset. */
export interface DatasetInput {
  readonly selection: Selection
  readonly replay: readonly ReplayRow[]
  /** Rows to train on instead of the feedback's own: a teacher's explained answers. */
  readonly explained?: Explained
  readonly seed: number
  /** The votes are those of `shuffleVotes`; the manifest says so. */
  readonly shuffledLabels?: boolean
}

/** A pair's way back to its turns and people, as the manifest keeps it. */
export interface Trace extends PairTrace {
  readonly id: string
  readonly heldOut: boolean
}

/** `dataset.json`: what the folder holds and where it came from. Written last; without it the folder doesn't exist. */
export interface DatasetManifest {
  readonly format: 1
  readonly hash: string
  readonly method: Method
  readonly rows: Readonly<Record<string, number>>
  readonly leftOut: Readonly<Record<string, number>>
  readonly notes: readonly string[]
  readonly splitBy: 'thread' | 'question'
  readonly shuffledLabels: boolean
  readonly profiles: readonly string[]
  readonly traces: readonly Trace[]
  /** Liked replies of the bare base that may stand in `replay.jsonl`. */
  readonly replayed?: readonly Trace[]
}

/** A frozen dataset: its folder never changes again. */
export interface Dataset {
  readonly path: string
  readonly manifest: DatasetManifest
}

/**
 * Freezes rows into `<folder>/<content hash>/`: `train.jsonl`, `holdout.jsonl`, `replay.jsonl` in TRL's conversational
 * formats (https://huggingface.co/docs/trl/dataset_formats), and `dataset.json`. The same rows give the same folder,
 * which is written once, beside its place, and moved there whole.
 */
export async function freeze(folder: string, input: DatasetInput): Promise<Dataset> {
  const files = filesOf(input)
  const hash = sha256(...Object.entries(files).flat())
  const path = join(folder, hash.slice(0, 16))
  const known = await readDataset(path).catch(() => undefined)
  if (known) return known
  const manifest = manifestOf(input, hash)
  try {
    await mkdir(folder, { recursive: true })
    const work = await mkdtemp(join(folder, making))
    try {
      for (const [name, text] of Object.entries(files)) await writeDurably(join(work, name), text)
      await writeDurably(join(work, 'dataset.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
      await removeFolder(path)
      await rename(work, path)
    } finally {
      await removeFolder(work)
    }
    await syncFolder(folder)
  } catch (error) {
    throw asHoneError(error, 'STORE', 'The dataset could not be written')
  }
  return { path, manifest }
}

/** Removes datasets that a crash left half written. Call it at start, when no run is on. */
export async function cleanDatasets(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  await Promise.all(names.filter((name) => name.startsWith(making)).map((name) => removeFolder(join(folder, name))))
}

const making = '.making-'

/** Reads a frozen dataset's manifest. @throws HoneError NOT_FOUND when there is none: the folder doesn't exist then. */
export async function readDataset(path: string): Promise<Dataset> {
  try {
    const manifest = JSON.parse(await readFile(join(path, 'dataset.json'), 'utf8')) as DatasetManifest
    return { path, manifest }
  } catch (error) {
    throw new HoneError('NOT_FOUND', `There is no whole dataset in ${path}.`, { cause: error })
  }
}

function filesOf({ selection, replay, explained }: DatasetInput): Record<string, string> {
  const { train, unpaired, method } = selection
  const own = () => (explained ? [] : toRows(feedbackRows([...train, ...unpaired]), methodData[method].format))
  return {
    'train.jsonl': jsonLines([...own(), ...explainedRows({ selection, explained }).map(asRow)]),
    'holdout.jsonl': jsonLines(toRows(feedbackRows(selection.heldOut), 'dpo')),
    'replay.jsonl': jsonLines(replay.map(asRow)),
  }
}

function explainedRows({
  selection,
  explained,
}: Pick<DatasetInput, 'selection'> & { explained: Explained | undefined }) {
  return explained?.rows ?? (methodData[selection.method].format === 'sft' ? keptExplanations(selection) : [])
}

function asRow({ prompt, completion, rejected }: ReplayRow): object {
  const said = (content: string) => [{ role: 'assistant', content }]
  return { prompt, completion: said(completion), ...(rejected === undefined ? {} : { rejected: said(rejected) }) }
}

/**
 * The same rows as if people had voted at random, as an experiment: half of all labels are the other way round, those that
 * the gate judges by too. Nothing can be learned from them, so the gate must refuse what comes of it.
 */
export function shuffleVotes(selection: Selection, seed: number): Selection {
  const { train, heldOut, unpaired } = selection
  return {
    ...selection,
    train: flipHalf(train, seed),
    heldOut: flipHalf(heldOut, seed + 1),
    unpaired: flipHalf(unpaired, seed + 2),
  }
}

/** Exactly half of the rows, chosen by the seed, say the opposite of what people said. */
function flipHalf<R extends Pair | Unpaired>(rows: readonly R[], seed: number): readonly R[] {
  const order = shuffled([...rows.keys()], Math.floor(seeded(seed)() * 2 ** 32))
  const flip = new Set(order.slice(0, Math.round(rows.length / 2)))
  return rows.map((row, index) => {
    if (!flip.has(index)) return row
    const { explained: _, ...judged } = row
    const flipped = 'chosen' in row ? { chosen: row.rejected, rejected: row.chosen } : { liked: !row.liked }
    return { ...judged, ...flipped } as R
  })
}

function manifestOf({ selection, replay, explained, shuffledLabels }: DatasetInput, hash: string): DatasetManifest {
  const { train, heldOut, unpaired, method, leftOut, notes, splitBy } = selection
  const { length } = explainedRows({ selection, explained })
  return {
    format: 1,
    hash,
    method,
    rows: { ...rowCounts(selection, replay.length), ...(length > 0 ? { explained: length } : {}) },
    leftOut: { ...leftOut, ...explained?.leftOut },
    notes,
    splitBy,
    shuffledLabels: shuffledLabels === true,
    profiles: [...new Set([...train, ...heldOut, ...unpaired].map(({ profile }) => profile))].sort(),
    traces: [
      ...train.map((pair) => traceOf(pair, false)),
      ...heldOut.map((pair) => traceOf(pair, true)),
      ...(methodData[method].lone === 'none' ? [] : unpaired.map(loneTrace)),
    ],
    ...(method === 'dpo' ? { replayed: unpaired.filter(({ liked }) => liked).map(loneTrace) } : {}),
  }
}

/** Rows by what they are for: `{ pairs, heldOut, replay }`, and `lone` where the method uses lone thumbs. */
export function rowCounts(selection: Selection, replay: number): Record<string, number> {
  const { train, heldOut, unpaired, method } = selection
  const lone = methodData[method].lone === 'none' ? {} : { lone: usableLone(method, unpaired).length }
  return { pairs: train.length, heldOut: heldOut.length, replay, ...lone }
}

function traceOf(pair: Pair, heldOut: boolean): Trace {
  const { id, origin, chosenTurn, rejectedTurn } = pair
  return { id, origin, chosen: chosenTurn, rejected: rejectedTurn, people: everybody(pair), heldOut }
}

/** A lone thumb has one side; the other stays empty. */
function loneTrace(row: Unpaired): Trace {
  const sides = row.liked ? { chosen: row.turn, rejected: '' } : { chosen: '', rejected: row.turn }
  return { id: row.id, origin: 'votes', ...sides, people: everybody(row), heldOut: false }
}

function everybody({ people, asker }: Pair | Unpaired): readonly string[] {
  return asker === undefined ? people : [...new Set([...people, asker])].sort()
}

function jsonLines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
}
