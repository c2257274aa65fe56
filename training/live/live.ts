import { asHoneError, HoneError } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import type { EngineSlot } from '../../src/ports/engine.ts'
import type { Canary, CanaryNews, LiveProof } from '../../src/ports/live.ts'
import type { Store } from '../../src/ports/store.ts'
import type { Registry } from '../registry.ts'
import { forgottenOf, prove, type ServingVersions } from '../serving.ts'
import { isFor } from '../tenants.ts'
import { count, inShare, verdictsIn } from './count.ts'
import { decides, evidence } from './evidence.ts'
import { canaryOf, endOf, learnedFromForgotten, type Running, rows, sentence, whys } from './log.ts'
import { summaryOf } from './summary.ts'

/** How the operator wants new versions proven. */
export interface LiveSettings {
  /** Share of threads that a canary answers; 0: none, what passes the gate serves at once. */
  readonly share: number
  /** After so many days without a decision an admin decides. */
  readonly days: number
  /** After so many verdicts without a decision an admin decides. */
  readonly verdicts: number
}

export interface LiveParts {
  readonly store: Store
  readonly slot: EngineSlot
  readonly registry: Registry
  readonly serving: ServingVersions
  readonly base: string
  readonly settings: LiveSettings
  readonly log: Logger
  readonly now: () => Date
}

/** The live proof with what the learning loop does with it. */
export interface Live extends LiveProof, AsyncDisposable {
  /** Serves a version that passed the gate: to a share of the threads, or to all. Answers which of the two. */
  serve(version: string, by: string, why: string): Promise<'canary' | 'promoted'>
  promote(version: string, by: string): Promise<void>
  /** Takes back the canary that is on, else the last promotion; answers what serves now. */
  rollback(by: string): Promise<string>
  /** Why no run may start; a canary that is held gives way to the next one. */
  refusal(): string | undefined
}

/** Replies in the last hour before a canary begins: their conversation is on, and keeps its version. */
const quietMs = 60 * 60_000
const lookEveryMs = 60 * 60_000
const dayMs = 24 * 60 * 60_000
/** Answers in a row in which the canary's engine may fail. */
const failures = 3
const byItself = 'canary'
const ofTheDisk: ReadonlySet<string> = new Set(['STORE', 'DISK_FULL'])

/**
 * Opens the live proof, and with it the canary that an earlier process left on.
 *
 * @example await using live = await liveProof({ store, slot, registry, serving, base, settings, log, now })
 */
export async function liveProof(parts: LiveParts): Promise<Live> {
  const { store, slot, registry, serving, base, settings, log, now } = parts
  const listeners = new Set<(news: CanaryNews) => void>()
  let on: Running | undefined
  let failed = 0
  let last: Promise<unknown> = Promise.resolve()
  let looking: Promise<void> | undefined

  /** One change after the other. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }

  function tell(kind: CanaryNews['kind'], version: string, text: string): void {
    log.info(`canary.${kind}`, { version, text })
    for (const listener of listeners) listener({ kind, version, text })
  }

  async function takes(version: string, thread: string): Promise<boolean | undefined> {
    const canary = on
    if (canary?.version !== version) return undefined
    const midway = await store.trials.repliedIn(thread, quietSince(canary), canary.startedAt)
    return midway ? undefined : inShare(thread, canary)
  }

  function answered(error?: unknown): void {
    failed = error === undefined ? 0 : failed + 1
    const canary = on
    if (error === undefined || !canary) return
    log.warn('canary.failed', { version: canary.version, error, inRow: failed })
    if (failed < failures) return
    const { message } = asHoneError(error, 'ENGINE_FAILED', 'The engine failed')
    void inTurn(() => takeBack(canary, byItself, `it failed ${failures} times in a row: ${message}`)).catch(unrecorded)
  }

  const unrecorded = (error: unknown) => log.error('canary.unrecorded', { error })

  /** Loads a version beside the one that serves. It answers nothing before `on` says so. */
  async function load(version: string): Promise<void> {
    const { manifest } = await registry.get(version)
    if (!slot.canary) throw new HoneError('ENGINE_MISSING', 'This engine slot can hold one version only.')
    failed = 0
    const next = await registry.toVersion(version, base)
    await slot.canary({ version: next, takes: (thread) => takes(version, thread), answered }, (engine) =>
      prove(engine, manifest),
    )
  }

  async function begin(version: string, by: string, why: string): Promise<void> {
    const before = on
    await load(version)
    on = undefined
    try {
      await store.serving.set(slot.version.id, by, whys.begun(version, settings.share, why))
    } catch (error) {
      // The disk says that the one before is on, and its engine gave way to this one's.
      await (before ? load(before.version) : slot.canary?.())
      on = before
      throw error
    }
    const entries = await store.serving.log(rows, '')
    on = canaryOf(entries)
    if (before) tell('ended', before.version, endOf(before.version, entries) ?? '')
    tell('begun', version, sentence(entries[0]?.why ?? ''))
  }

  async function takeBack(canary: Running, by: string, why: string): Promise<void> {
    if (on?.startedAt !== canary.startedAt) return
    const text = whys.rolledBack(canary.version, why)
    await store.serving.set(canary.incumbent, by, text)
    on = undefined
    await slot.canary?.()
    tell('ended', canary.version, sentence(text))
  }

  async function promote(version: string, by: string, why: string): Promise<void> {
    const canary = on
    try {
      await serving.promote(version, by, why)
    } catch (error) {
      // The disk says that it is still on, and its engine may have been put away when the incumbent came back.
      if (canary && error instanceof HoneError && ofTheDisk.has(error.code)) await load(canary.version)
      throw error
    }
    on = undefined
    if (canary) tell('ended', canary.version, endOf(canary.version, await store.serving.log(rows, '')) ?? '')
  }

  /** Tenants that had a version of their own at any time since then: theirs may be the incumbent, and never the canary. */
  async function apartSince(since: Date): Promise<readonly string[]> {
    if (!slot.of) return []
    const newest = (await store.serving.tenants()).map(async (tenant) => (await store.serving.log(1, tenant))[0])
    const apart = (await Promise.all(newest)).filter((row) => row && (row.version !== '' || row.at >= since))
    return apart.flatMap((row) => (row ? [row.tenant] : []))
  }

  async function stand(canary: Running): Promise<Canary> {
    const { version, incumbent, startedAt: since } = canary
    const trial = { versions: [version, incumbent] as const, since, quietSince: quietSince(canary) }
    const said = await store.trials.said({ ...trial, without: await apartSince(since) })
    const { duels, ...thumbs } = count(said, canary)
    const found = { ...canary, thumbs, duels, evidence: { ...evidence({ ...thumbs, duels }), decides } }
    return { ...found, summary: summaryOf(found) }
  }

  async function decide(): Promise<void> {
    const canary = on
    if (!canary) return
    const standing = await stand(canary)
    const { version, incumbent } = canary
    const { better, worse } = standing.evidence
    if (worse >= decides) return takeBack(canary, byItself, `people say it is worse. ${standing.summary}`)
    if (canary.held) return
    if (better >= decides)
      return promote(version, byItself, whys.promoted(version, `people say it is better. ${standing.summary}`))
    const days = (now().getTime() - canary.startedAt.getTime()) / dayMs
    if (days < settings.days && verdictsIn({ ...standing.thumbs, duels: standing.duels }) < settings.verdicts) return
    const text = whys.held(version, `nothing is decided. ${standing.summary}`)
    await store.serving.set(incumbent, byItself, text)
    on = { ...canary, held: true }
    tell('held', version, `${sentence(text)} An admin decides: \`promote ${version}\` or \`rollback\`.`)
  }

  /** Goes on with what the log says is on, where that can still be. */
  async function restore(): Promise<void> {
    const found = canaryOf(await store.serving.log(rows, ''))
    if (!found) return
    on = found
    const { version } = found
    if (settings.share === 0) return takeBack(found, byItself, 'canaries are turned off (HONE_CANARY)')
    if ((await forgottenOf(registry)).has(version)) return takeBack(found, byItself, learnedFromForgotten)
    if (slot.version.id !== found.incumbent)
      return takeBack(found, byItself, `${found.incumbent}, which it was compared with, can't serve any more`)
    try {
      if (slot.of && !isFor((await registry.get(version)).manifest, ''))
        return await takeBack(found, byItself, 'it learned from several tenants, which learn apart now')
      await load(version)
    } catch (error) {
      await takeBack(found, byItself, asHoneError(error, 'ENGINE_FAILED', 'It could not be loaded').message)
    }
  }

  /** Many at once are one: a look that has not begun yet sees what all of them would. */
  function look(): Promise<void> {
    looking ??= inTurn(() => {
      looking = undefined
      return decide()
    }).catch((error: unknown) => log.error('canary.look.failed', { error }))
    return looking
  }

  await restore()
  const clock = setInterval(() => void look(), lookEveryMs)
  clock.unref()
  return {
    canary: async () => on && stand(on),
    became: async (version) =>
      on?.version === version ? undefined : endOf(version, await store.serving.log(rows, '')),
    look,
    on(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    serve: (version, by, why) =>
      inTurn(async () => {
        if (settings.share > 0) {
          await begin(version, by, why)
          return 'canary'
        }
        await promote(version, by, why)
        return 'promoted'
      }),
    promote: (version, by) =>
      inTurn(async () => {
        const canary = on
        if (canary?.incumbent === version) return takeBack(canary, by, 'command')
        const why = by === 'forget' ? 'the one before learned from feedback that was deleted since' : 'command'
        await promote(version, by, canary?.version === version ? whys.promoted(version, why) : why)
      }),
    rollback: (by) =>
      inTurn(async () => {
        if (!on) return serving.rollback(by)
        const { incumbent } = on
        await takeBack(on, by, by === 'forget' ? learnedFromForgotten : 'command')
        return incumbent
      }),
    refusal() {
      if (!on || on.held) return undefined
      return `${on.version} is a canary: wait until people have said enough, or decide: \`promote ${on.version}\` or \`rollback\`.`
    },
    async [Symbol.asyncDispose]() {
      clearInterval(clock)
      await last
      await slot.canary?.()
    },
  }
}

function quietSince({ startedAt }: Running): Date {
  return new Date(startedAt.getTime() - quietMs)
}
