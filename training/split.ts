import { sha256 } from './hash.ts'

/** Never changed: with another salt, rows that were once held out would be trained on. */
const salt = 'hone held-out 1'
/** Per cent of threads that are held out always, and at most when there is little data. */
const always = 20
const atMost = 50
/** The gate wants this many held-out prompts; training wants this many to be worth it. */
const minHeldOut = 8
const minTrain = 20

interface Row {
  readonly thread: string
  readonly promptHash: string
  readonly prompt: readonly { readonly content: string }[]
}

/** Which rows are trained on, which are kept for the gate, and by what they were told apart. */
export interface Split<R> {
  readonly train: readonly R[]
  readonly heldOut: readonly R[]
  readonly by: 'thread' | 'question'
  /** Rows dropped because their question is also held out. */
  readonly overlapping: number
}

/**
 * Splits by a hash of the thread, so that a thread's rows stay on their side for ever, however much is added.
 * Threads in the lowest fifth are always held out; when that gives fewer than 8 prompts the border moves up to 50 %.
 * Where few threads hold everything (one person, one long chat) questions are hashed instead. A question that is held
 * out in one thread is not trained on in another.
 */
export function split<R extends Row>(rows: readonly R[]): Split<R> {
  const byThread = splitBy(rows, ({ thread }) => thread)
  const enough = ({ train, heldOut }: Sides<R>): boolean =>
    prompts(heldOut) >= Math.min(minHeldOut, prompts(rows) * 0.15) &&
    train.length >= Math.min(minTrain, rows.length * 0.5)
  const by = enough(byThread) ? 'thread' : 'question'
  const { train, heldOut } = by === 'thread' ? byThread : splitBy(rows, question)
  const asked = new Set(heldOut.map(({ promptHash }) => promptHash))
  const kept = train.filter(({ promptHash }) => !asked.has(promptHash))
  return { train: kept, heldOut, by, overlapping: train.length - kept.length }
}

/** 0 to 99, the same for the same key for ever. */
export function bucket(key: string): number {
  return Number.parseInt(sha256(key, salt).slice(0, 8), 16) % 100
}

interface Sides<R> {
  readonly train: readonly R[]
  readonly heldOut: readonly R[]
}

function splitBy<R extends Row>(rows: readonly R[], key: (row: R) => string): Sides<R> {
  let border = always
  const under = () => rows.filter((row) => bucket(key(row)) < border)
  while (prompts(under()) < minHeldOut && border < atMost) border += 1
  return { heldOut: under(), train: rows.filter((row) => bucket(key(row)) >= border) }
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
