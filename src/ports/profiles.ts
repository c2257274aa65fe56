/** One entry of the log of profiles: from then on this version served. */
export interface ProfileServed {
  readonly name: string
  readonly version: string
  readonly by: string
  /** The file changed, or somebody said so. */
  readonly why: 'file' | 'promoted' | 'rolled back'
  readonly at: Date
}

/** What made a profile version that nobody wrote. */
export interface ProfileMade {
  readonly by: 'tune-prompt'
  readonly job: string
  /** What the gate said; held is for an admin to decide. */
  readonly verdict: 'promote' | 'hold'
  /** How many examples its prompts begin with. */
  readonly examples: number
  /** Whose feedback it came from: when one of them is forgotten, its text goes. */
  readonly people: readonly string[]
}

/** A kept profile version, for lists. */
export interface ProfileKept {
  readonly name: string
  readonly version: string
  readonly at: Date
  /** Absent where a person wrote it. */
  readonly made?: ProfileMade
}

/** Profile versions by content hash, and which of a name's serves. One that a forgotten person is behind is there no more. */
export interface Profiles {
  /** Keeps a version; one that is kept already stays as it is. */
  put(name: string, version: string, content: string, made?: ProfileMade): Promise<void>
  get(version: string): Promise<{ readonly name: string; readonly content: string } | undefined>
  /** Newest first. */
  list(): Promise<readonly ProfileKept[]>
  /** Versions whose text went with a person. */
  forgotten(): Promise<readonly string[]>
  serve(entry: Omit<ProfileServed, 'at'>): Promise<void>
  /** What served under a name, newest first. */
  log(name: string): Promise<readonly ProfileServed[]>
}
