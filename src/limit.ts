import { HoneError } from './errors.ts'

/** How much one person may send within a minute; 0 or absent: as much as they like. */
export interface Limits {
  /** Messages to the bot, and *Try again*. */
  readonly questions?: number
  /** Votes, corrections, and commands. */
  readonly presses?: number
}

export interface Limit {
  /**
   * Counts one more of a person's, made at `at`.
   *
   * @throws HoneError LIMIT when it is one too many within its minute; it is then not counted.
   */
  take(person: string, at?: Date): void
}

const windowMs = 60_000
const peopleKept = 10_000

/**
 * A cap per person. What counts is when something was made, so what comes late and all at once, written while no process
 * ran, is not too much.
 *
 * @param most within a minute; 0: no cap.
 * @param what in words, e.g. `questions`.
 * @example const limit = createLimit(20, 'questions'); limit.take('web:anna')
 */
export function createLimit(most: number, what: string, now: () => number = Date.now): Limit {
  /** When each was made, and when it came. */
  const taken = new Map<string, readonly { readonly made: number; readonly came: number }[]>()
  return {
    take(person, at) {
      if (most === 0) return
      const came = now()
      const made = at?.getTime() ?? came
      const kept = (taken.get(person) ?? []).filter((one) => one.came > came - windowMs)
      const near = kept.filter((one) => Math.abs(one.made - made) < windowMs)
      const [oldest] = near
      if (oldest && near.length >= most) {
        const seconds = Math.ceil((oldest.came + windowMs - came) / 1000)
        throw new HoneError('LIMIT', `That is more than ${most} ${what} in a minute. Go on in ${seconds} s.`)
      }
      // The newest last, so that the first is the one to forget.
      taken.delete(person)
      taken.set(person, [...kept, { made, came }])
      const [first] = taken.keys()
      if (taken.size > peopleKept && first !== undefined) taken.delete(first)
    },
  }
}
