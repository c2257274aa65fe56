import { diff as compareLines } from 'node:util'
import { HoneError } from './errors.ts'
import type { Logger } from './log.ts'
import type { ProfileMade, ProfileServed } from './ports/profiles.ts'
import type { Store } from './ports/store.ts'
import { openingKey, type Profile, parseProfile } from './prompt/profile.ts'

/** A version of the profile, for lists. */
export interface ProfileInfo {
  readonly version: string
  readonly createdAt: Date
  readonly serving: boolean
  /** What made it; absent where a person wrote it. */
  readonly made?: Pick<ProfileMade, 'by' | 'job' | 'verdict'>
}

/** What a promotion changes. */
export interface ProfileChange {
  readonly from: string
  readonly to: string
  /** The lines that differ, with `- ` or `+ ` before them, among two unchanged ones each way. */
  readonly lines: readonly string[]
  /** False: threads that are going on keep their prompt as it is. */
  readonly opensAnew: boolean
}

/** The versions of one profile, and the one that shapes replies now. */
export interface ProfileShelf {
  readonly serving: Profile
  /** Newest first. */
  list(): Promise<readonly ProfileInfo[]>
  /** By version, or the beginning of one. @throws HoneError NOT_FOUND */
  find(version: string): Promise<Profile>
  /** Keeps a version without serving it. @throws HoneError INPUT when it is another profile's. */
  keep(profile: Profile, made?: ProfileMade): Promise<void>
  /** From the next reply on this version shapes replies. */
  promote(version: string, by: string): Promise<Profile>
  /** Which version a rollback would bring back. @throws HoneError NOT_FOUND when none served before. */
  before(): Promise<Profile>
  rollback(by: string): Promise<Profile>
  /** Steps back where the text of what serves went with a person who was forgotten. */
  refresh(): Promise<void>
  /** From now on a version serves only where this doesn't throw. */
  guard(check: (profile: Profile) => Promise<void>): void
}

export interface ShelfParts {
  readonly store: Pick<Store, 'profiles'>
  /** The profile as its file says now. */
  readonly file: Profile
  readonly log: Logger
}

/**
 * Opens the versions of a profile. A file that has changed since the last start serves; an unchanged one leaves what
 * was promoted or rolled back since.
 *
 * @example const shelf = await openProfiles({ store, file: await readProfile('desk.md'), log }); shelf.serving.persona
 */
export async function openProfiles({ store: { profiles }, file, log }: ShelfParts): Promise<ProfileShelf> {
  const { name } = file
  let serving = await first()
  let check = async (_: Profile): Promise<void> => {}

  async function first(): Promise<Profile> {
    const served = await profiles.log(name)
    if (served.find(({ why }) => why === 'file')?.version !== file.version) {
      await profiles.put(name, file.version, file.source)
      await profiles.serve({ name, version: file.version, by: 'start', why: 'file' })
      return file
    }
    const version = served[0]?.version
    if (version === undefined || version === file.version) return file
    try {
      return await find(version)
    } catch (error) {
      log.warn('profile.unusable', { version, error })
      return file
    }
  }

  async function find(version: string): Promise<Profile> {
    const known = (await profiles.list()).filter((kept) => kept.name === name && kept.version.startsWith(version))
    if (known.length > 1) throw new HoneError('INPUT', `Several versions begin with ${version}. Give more of it.`)
    const found = known[0] && (await profiles.get(known[0].version))
    if (!found) throw new HoneError('NOT_FOUND', `There is no version ${version} of the profile ${name}.`)
    return parseProfile(found.content, `${name}@${known[0]?.version}`)
  }

  async function serve(next: Profile, by: string, why: ProfileServed['why']): Promise<Profile> {
    await check(next)
    return put(next, by, why)
  }

  async function put(next: Profile, by: string, why: ProfileServed['why']): Promise<Profile> {
    await profiles.serve({ name, version: next.version, by, why })
    log.info('profile.served', { name, from: serving.version, to: next.version, why })
    serving = next
    return next
  }

  /** What served before `current`, nearest first, as far as it is still there. */
  async function earlier(current: string): Promise<readonly string[]> {
    const there = new Set((await profiles.list()).map(({ version }) => version))
    const stack = stackOf((await profiles.log(name)).toReversed()).toReversed()
    return stack.filter((version) => version !== current && there.has(version))
  }

  async function before(): Promise<Profile> {
    const [version] = await earlier(serving.version)
    if (version === undefined) throw new HoneError('NOT_FOUND', `No other version of ${name} served before.`)
    return find(version)
  }

  return {
    get serving() {
      return serving
    },
    async list() {
      const kept = (await profiles.list()).filter((one) => one.name === name)
      return kept.map(({ version, at, made }) => ({
        version,
        createdAt: at,
        serving: version === serving.version,
        ...(made ? { made: { by: made.by, job: made.job, verdict: made.verdict } } : {}),
      }))
    },
    find,
    async keep(profile, made) {
      if (profile.name !== name)
        throw new HoneError('INPUT', `This bot's profile is "${name}"; that one is named "${profile.name}".`)
      await profiles.put(name, profile.version, profile.source, made)
    },
    async promote(version, by) {
      const next = await find(version)
      return next.version === serving.version ? serving : serve(next, by, 'promoted')
    },
    before,
    rollback: async (by) => serve(await before(), by, 'rolled back'),
    async refresh() {
      if (await profiles.get(serving.version)) return
      const [version] = await earlier(serving.version)
      // It served before, and no check may keep what was forgotten in service.
      await put(version === undefined ? file : await find(version), 'forget', 'rolled back')
    },
    guard(by) {
      check = by
    },
  }
}

/** What served, one above the other; a rollback takes the uppermost away. */
function stackOf(oldestFirst: readonly ProfileServed[]): readonly string[] {
  const stack: string[] = []
  for (const { version, why } of oldestFirst) {
    if (why === 'rolled back') stack.pop()
    if (stack.at(-1) !== version) stack.push(version)
  }
  return stack
}

/** The lines that two profiles differ in. */
export function changeBetween(from: Profile, to: Profile): ProfileChange {
  const all = compareLines(from.source.split('\n'), to.source.split('\n')).map(([kind, line]) => ({ kind, line }))
  const near = (index: number) => all.slice(Math.max(0, index - 2), index + 3).some(({ kind }) => kind !== 0)
  const shown = all.filter((_, index) => near(index))
  // Node says -1 for what only the second has.
  const lines = shown.map(({ kind, line }) => `${kind === 0 ? ' ' : kind < 0 ? '+' : '-'} ${line}`)
  return { from: from.version, to: to.version, lines, opensAnew: openingKey(from) !== openingKey(to) }
}
