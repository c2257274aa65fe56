import { join } from 'node:path'
import {
  evaluate,
  exportFeedback,
  exportFor,
  type FeedbackRow,
  type Files,
  type Forgotten,
  feedbackStats,
  type Imported,
  importFeedback,
  type RowFormat,
  readGolden,
  type Toolkit,
} from '../../training/index.ts'
import { emitting } from '../emitting.ts'
import { HoneError } from '../errors.ts'
import { createLogger } from '../log.ts'
import type { ReplyEvent } from '../ports/channel.ts'
import type { CompareOptions, ComparePlan, Comparing, Comparison } from '../ports/compare.ts'
import { everyTenant, type Passage } from '../ports/knowledge.ts'
import type { GateReport, RunEvent, TrainOptions, TrainPlan, VersionInfo } from '../ports/learning.ts'
import type { Replay, ReplayedTurn, ReplayOptions } from '../ports/replay.ts'
import type { TuneOptions, TunePlan, TuneReport, Tuning } from '../ports/tune.ts'
import type { ProfileInfo } from '../profiles.ts'
import { parseProfile } from '../prompt/profile.ts'
import type { Ingesting, Source } from './ingests.ts'
import { starterNotice } from './model.ts'
import { type Parts, teacherOf } from './parts.ts'
import { createTalks, type Talks } from './talks.ts'
import { type Told, whyOf } from './why.ts'

/** What the commands need that also work while a server has the data folder: its own parts, or that server's. */
export interface Desk extends Talks {
  /** One question from the terminal, one reply. */
  ask(text: string, signal: AbortSignal): AsyncIterable<ReplyEvent>
  /** Reads a folder, file or web page into the knowledge. Whoever stops listening doesn't stop it. */
  ingest(source: Source): AsyncIterable<Ingesting>
  /** Passages of what everybody may see, the best first. */
  search(query: string): Promise<readonly Passage[]>
  plan(options: TrainOptions): Promise<TrainPlan>
  /** Starts a run and tells what happens until it ends. Whoever stops listening doesn't stop the run. */
  train(options: TrainOptions): AsyncIterable<RunEvent>
  comparePlan(options: CompareOptions): Promise<ComparePlan>
  /** Starts a comparison and tells what happens until it ends, as `train` does. */
  compare(options: CompareOptions): AsyncIterable<RunEvent>
  /** The newest comparison; null before the first. */
  comparison(of?: OfTenant): Promise<Comparison | null>
  tunePlan(options: TuneOptions): Promise<TunePlan>
  /** Starts a search for a better prompt and tells what happens until it ends, as `train` does. */
  tune(options: TuneOptions): AsyncIterable<RunEvent>
  /** The newest search's report; null before the first. */
  tuned(): Promise<TuneReport | null>
  cancel(): Promise<boolean>
  versions(of?: OfTenant): Promise<readonly VersionInfo[]>
  /** The gate's checks of a version, the newest with null: what is being done, then the report. */
  evaluate(version: string | null, signal: AbortSignal): AsyncIterable<{ readonly say: string } | Evaluated>
  promote(asked: OfTenant & { readonly version: string }): Promise<void>
  /** Answers which version serves now. */
  rollback(of?: OfTenant): Promise<string>
  /** Why a reply says what it says, or what became of a message. */
  why(turn: string): Promise<Told>
  stats(): Promise<Readonly<Record<string, number>>>
  exportRows(format: RowFormat): Promise<readonly object[]>
  /** Files for another trainer's folder. */
  exportFor(toolkit: Toolkit): Promise<Files>
  importRows(rows: readonly FeedbackRow[]): Promise<Imported>
  /** Deletes everything of a person, and retrains where a version had learned from it. */
  forget(person: string): Promise<Forgotten & { readonly rows: number }>
  profiles(): Promise<readonly ProfileInfo[]>
  /** The text of a version; of the one that serves with null. */
  profile(version: string | null): Promise<string>
  /** Keeps a profile's text as a version and answers which. */
  keepProfile(source: string): Promise<string>
  promoteProfile(version: string): Promise<void>
  /** Answers which version serves now. */
  rollbackProfile(): Promise<string>
  /** Starts a replay and tells of each message. Whoever stops listening doesn't stop it. */
  replay(options: ReplayOptions): AsyncIterable<ReplayedTurn>
  /** The newest replay; null before the first, and once it was dropped. */
  lastReplay(): Promise<Replay | null>
  cancelReplay(): Promise<boolean>
}

/** What the gate says of a version today. */
export interface Evaluated {
  readonly version: string
  readonly report: GateReport
}

/** For whom; absent: all there is, or where the loop says it belongs. */
export interface OfTenant {
  readonly tenant?: string
}

const by = 'cli'
type DeskParts = Pick<
  Parts,
  | 'bot'
  | 'slot'
  | 'registry'
  | 'ingests'
  | 'knowledge'
  | 'learning'
  | 'store'
  | 'config'
  | 'forget'
  | 'model'
  | 'profiles'
  | 'replays'
>

/** The desk of this process: what the commands do when no server runs, and what a server does for them. */
export function localDesk(parts: DeskParts): Desk {
  const { ingests, knowledge, learning, store, config, profiles, replays } = parts
  const comparing = async (): Promise<Comparing> => {
    const found = (await learning()).comparing
    if (!found) throw new HoneError('CONFIG', 'This Hone runs without comparisons.')
    return found
  }
  const tuning = async (): Promise<Tuning> => {
    const found = (await learning()).tuning
    if (!found) throw new HoneError('CONFIG', 'This Hone runs without a search for prompts.')
    return found
  }
  return {
    ...createTalks(parts.bot, () => (parts.model().starter ? starterNotice : undefined)),
    async *ask(text, signal) {
      yield* (await parts.bot()).ask(text, { tenant: 'terminal', signal })
    },
    async *ingest(source) {
      yield* (await ingests()).run(source)
    },
    search: async (query) => (await knowledge()).search(query, { tenant: everyTenant, scopes: [], limit: 5 }),
    plan: async (options) => (await learning()).plan(options),
    async *train(options) {
      const loop = await learning()
      await loop.start(by, options)
      yield* loop.watch()
    },
    comparePlan: async (options) => (await comparing()).plan(options),
    async *compare(options) {
      await (await comparing()).start(by, options)
      yield* (await learning()).watch()
    },
    comparison: async (of) => (await (await comparing()).last(of?.tenant)) ?? null,
    tunePlan: async (options) => (await tuning()).plan(options),
    async *tune(options) {
      await (await tuning()).start(by, options)
      yield* (await learning()).watch()
    },
    tuned: async () => (await (await tuning()).last()) ?? null,
    cancel: async () => (await learning()).cancel(by),
    versions: async (of) => (await learning()).versions(of?.tenant),
    evaluate: (version, signal) =>
      emitting(async (emit) => {
        const say = (line: string) => emit({ say: line })
        emit(await evaluate(version ?? undefined, { ...(await evaluating(parts)), signal, say }))
      }),
    promote: async ({ version, tenant }) => (await learning()).promote(version, by, tenant),
    rollback: async (of) => (await learning()).rollback(by, of?.tenant),
    why: (turn) => whyOf(turn, parts),
    stats: async () => feedbackStats(await store()),
    exportRows: async (format) => exportFeedback(await store(), format, config.trainOn),
    exportFor: async (toolkit) =>
      exportFor(await store(), toolkit, { channels: config.trainOn, model: parts.model().trainFolder ?? '' }),
    importRows: async (rows) => importFeedback(await store(), rows),
    forget: parts.forget,
    profiles: async () => (await profiles()).list(),
    profile: async (version) => (version ? await (await profiles()).find(version) : (await profiles()).serving).source,
    async keepProfile(source) {
      const profile = parseProfile(source, 'the profile')
      await (await profiles()).keep(profile)
      return profile.version
    },
    promoteProfile: async (version) => void (await (await profiles()).promote(version, by)),
    rollbackProfile: async () => (await (await profiles()).rollback(by)).version,
    async *replay(options) {
      const all = await replays()
      const { id } = await all.start(options, by)
      yield* all.watch(id)
    },
    lastReplay: async () => (await replays()).last() ?? null,
    cancelReplay: async () => (await replays()).cancel(),
  }
}

/** What the gate works with, outside a run. */
async function evaluating(parts: DeskParts) {
  const { dataDir, trainOn, teacher, tenants, logLevel } = parts.config
  return {
    store: await parts.store(),
    slot: await parts.slot(),
    registry: await parts.registry(),
    base: parts.model().base,
    trainOn,
    pooled: tenants.pooled,
    golden: await readGolden(join(dataDir, 'golden.jsonl')),
    ...(teacher.url ? { judge: teacherOf(parts.config, createLogger(logLevel)) } : {}),
  }
}
