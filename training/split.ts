import { sha256 } from './hash.ts'

/** Never changed: with another salt, rows that were once held out would be trained on. */
const salt = 'hone held-out 1'
/** Per cent of threads that are held out always, and at most when there is little data. */
const lowest = 20
const atMost = 50
/** The gate wants this many held-out prompts; training wants this many to be worth it. */
const minHeldOut = 8
const minTrain = 20

/** Per cent of people of whom everything is held out, once there are enough people to spare some. */
const ofPeople = 10
const manyPeople = 10

interface Row {
  readonly thread: string
  readonly promptHash: string
  readonly people: readonly string[]
  readonly prompt: readonly { readonly content: string }[]
}

/** Hashes of threads and questions that were ever held out, see {@link heldOutKeys}. */
export type HeldOut = ReadonlySet<string>

/** Which rows are trained on, which are kept for the gate, and by what they were told apart. */
export interface Split<R> {
  readonly train: readonly R[]
  readonly heldOut: readonly R[]
  readonly by: 'thread' | 'question'
  /** Rows dropped because their question is also held out. */
  readonly overlapping: number
  /** People of whom nothing is trained on. */
  readonly people: ReadonlySet<string>
}

/**
 * Splits by a hash of the thread, then of the person. Threads in the lowest fifth are always held out; when that gives
 * fewer than 8 prompts the border moves up to 50 %. From ten people on, a tenth of them is held out with all they
 * judged. Where few threads hold everything (one person, one long chat) questions are hashed instead of threads. What
 * was held out `before` stays so, wherever the border is by now; and a question that is held out in one thread is not
 * trained on in another.
 */
export function split<R extends Row>(rows: readonly R[], before: HeldOut = new Set()): Split<R> {
  const people = spared(rows)
  const always = (row: R) =>
    row.people.some((person) => people.has(person)) || before.has(threadKey(row)) || before.has(questionKey(row))
  const byThread = splitBy(rows, ({ thread }) => thread, always)
  const enough = ({ train, heldOut }: Sides<R>): boolean =>
    prompts(heldOut) >= Math.min(minHeldOut, prompts(rows) * 0.15) &&
    train.length >= Math.min(minTrain, rows.length * 0.5)
  const by = enough(byThread) ? 'thread' : 'question'
  const { train, heldOut } = by === 'thread' ? byThread : splitBy(rows, question, always)
  const asked = new Set(heldOut.map(({ promptHash }) => promptHash))
  const kept = train.filter(({ promptHash }) => !asked.has(promptHash))
  return { train: kept, heldOut, by, overlapping: train.length - kept.length, people }
}

/**
 * What the next split must hold out: what this one does, and what was held out before as far as it is still on record.
 * Somebody who was forgotten leaves nothing here either.
 */
export function heldOutKeys(sides: Split<Row>, before: HeldOut, onRecord: readonly Row[]): HeldOut {
  const now = sides.heldOut.map(sides.by === 'thread' ? threadKey : questionKey)
  const still = onRecord.flatMap((row) => [threadKey(row), questionKey(row)]).filter((key) => before.has(key))
  return new Set([...now, ...still])
}

/** 0 to 99, the same for the same key for ever. */
export function bucket(key: string): number {
  return Number.parseInt(sha256(key, salt).slice(0, 8), 16) % 100
}

function threadKey({ thread }: Row): string {
  return sha256('thread', thread, salt).slice(0, 24)
}

function questionKey(row: Row): string {
  return sha256('question', question(row), salt).slice(0, 24)
}

/** People who are held out with all they judged. */
function spared(rows: readonly Row[]): ReadonlySet<string> {
  const people = new Set(rows.flatMap((row) => row.people))
  return new Set(people.size < manyPeople ? [] : [...people].filter((person) => bucket(`person ${person}`) < ofPeople))
}

interface Sides<R> {
  readonly train: readonly R[]
  readonly heldOut: readonly R[]
}

function splitBy<R extends Row>(rows: readonly R[], key: (row: R) => string, always: (row: R) => boolean): Sides<R> {
  let border = lowest
  const under = (row: R) => bucket(key(row)) < border || always(row)
  while (prompts(rows.filter(under)) < minHeldOut && border < atMost) border += 1
  return { heldOut: rows.filter(under), train: rows.filter((row) => !under(row)) }
}

/** Rows of one prompt say nearly the same, so prompts are what counts as evidence. */
function prompts(rows: readonly Row[]): number {
  return new Set(rows.map(({ promptHash }) => promptHash)).size
}

/** The last thing a person said, without the passages before it. */
function question({ prompt }: Row): string {
  const last = prompt.at(-1)?.content ?? ''
  return last
    .slice(last.lastIndexOf('\n\n') + 1)
    .trim()
    .toLowerCase()
}
