import { HoneError } from '../../src/errors.ts'
import { newId } from '../../src/id.ts'
import type { Engine } from '../../src/ports/engine.ts'
import type { TuneOptions, TuneReport, Tuning } from '../../src/ports/tune.ts'
import { rememberHeldOut } from '../held-out.ts'
import type { RunVoice } from '../request.ts'
import type { RunEnd, Runner } from '../runner.ts'
import { collect } from '../select.ts'
import { peopleOf } from './cases.ts'
import { promptGate } from './gate.ts'
import { type PreparedTuning, prepareTuning, type TuneParts } from './prepare.ts'
import { adviceOf, readReport, writeReport } from './report.ts'
import { type Found, search } from './search.ts'
import { dropStates, nothingYet, writeState } from './state.ts'

export type { PromptFacts, PromptProfile } from './facts.ts'

/** What a search works with besides what it is prepared from. */
export interface TuningParts extends TuneParts {
  readonly lend?: <T>(work: (engine: Engine) => Promise<T>) => Promise<T>
  readonly now: () => Date
}

/** The last jobs among which the newest report is looked for. */
const lookedAt = 100
/** Candidates that a report names. */
const named = 20

/**
 * `hone tune-prompt`: searches hidden prompts, rules and examples on the training side of the feedback, and measures the
 * best once on the held-out side. It takes the place of a training run, and is followed and cancelled as one.
 *
 * @example const job = await tuning(parts, runner).start('cli', { budget: { minutes: 10 } })
 */
export function tuning(parts: TuningParts, runner: Runner): Tuning {
  const { store, dataDir, now } = parts
  return {
    plan: async (options = {}) => (await prepareTuning(parts, options)).plan,
    async start(by, options = {}) {
      const prepared = await prepareTuning(parts, options)
      const { plan, hash } = prepared
      if (plan.refusal) throw new HoneError('NOT_ENOUGH_DATA', plan.refusal)
      const job = { id: newId('job'), by, startedAt: now(), detail: { tune: { hash, ...plan.profile } } }
      return runner.start(job, (voice) => tuneOnce(parts, prepared, { job, options, voice }))
    },
    async last() {
      for (const { id, detail } of await store.jobs.list(lookedAt)) {
        const report = detail.tune ? await readReport(dataDir, id) : undefined
        if (report) return report
      }
      return undefined
    },
  }
}

interface Asked {
  readonly job: { readonly id: string; readonly by: string; readonly startedAt: Date }
  readonly options: TuneOptions
  readonly voice: RunVoice
}

async function tuneOnce(parts: TuningParts, prepared: PreparedTuning, asked: Asked): Promise<RunEnd> {
  const { slot, dataDir, lend } = parts
  const { plan, hash, selection, before = nothingYet } = prepared
  const { voice } = asked
  const { version } = slot
  await rememberHeldOut(dataDir, selection.heldOutKeys)
  const found = await slot.borrow(version, (engine) =>
    search(engine, {
      ...prepared,
      facts: parts.facts,
      budget: plan.budget,
      seed: plan.seed,
      before,
      save: (state) => writeState(dataDir, hash, state),
      say: voice.say,
      signal: voice.signal,
      ...(lend ? { teacher: lend } : {}),
    }),
  )
  const [first] = found.ranked
  const best = first && first.value > 0.5 ? first : undefined
  const judged =
    best &&
    (await promptGate({
      ...prepared,
      slot,
      version,
      facts: parts.facts,
      texts: best.draft.texts,
      signal: voice.signal,
      say: voice.say,
      ...(lend ? { judge: lend } : {}),
    }))
  if (judged) voice.report(judged.report)
  return conclude(parts, prepared, asked, { found, best, judged })
}

interface Outcome {
  readonly found: Found
  readonly best: Found['ranked'][number] | undefined
  readonly judged: Awaited<ReturnType<typeof promptGate>> | undefined
}

/** Keeps a prompt that passed or is held as a version, lets it serve where that was asked for, and writes the report. */
async function conclude(
  { facts, dataDir, store }: TuningParts,
  { plan, hash, material, start, serving }: PreparedTuning,
  { job, options, voice }: Asked,
  { found, best, judged }: Outcome,
): Promise<RunEnd> {
  const verdict = judged?.report.verdict ?? 'refuse'
  const { people } = material
  await refuseForgotten(store, people)
  const texts = best?.draft.texts
  const version =
    texts && verdict !== 'refuse'
      ? await facts.keep(start, texts, {
          by: 'tune-prompt',
          job: job.id,
          verdict,
          examples: texts.examples.length,
          people,
        })
      : undefined
  // Whoever changed the profile meanwhile has the last word.
  const same = (await facts.read()).version === serving.version
  const promoted = version !== undefined && verdict === 'promote' && options.promote === true && same
  if (promoted) await facts.promote(version, job.by)
  const report = {
    job: job.id,
    startedAt: job.startedAt,
    plan,
    spent: found.spent,
    tried: found.ranked.slice(0, named).map(({ draft: _, ...one }) => one),
    ...(best && texts ? { best: { ...withoutDraft(best), texts, lines: await facts.lines(start, texts) } } : {}),
    figures: judged?.figures ?? [],
    ...(judged ? { gate: judged.report } : {}),
    ...(version === undefined ? {} : { version }),
    promoted,
    people,
  }
  const told: TuneReport = { ...report, text: adviceOf(report) }
  await writeReport(dataDir, told)
  await dropStates(dataDir, hash)
  voice.say(told.text)
  const states = { promote: promoted ? 'promoted' : 'kept', hold: 'held', refuse: 'refused' } as const
  return { state: states[verdict], detail: version === undefined ? {} : { profile: version } }
}

/** Whoever was forgotten while it ran must not be behind a prompt. */
async function refuseForgotten(store: TuningParts['store'], people: readonly string[]): Promise<void> {
  const { pairs, unpaired } = await collect(store)
  const left = new Set(peopleOf([...pairs, ...unpaired]))
  if (people.every((person) => left.has(person))) return
  throw new HoneError('CANCELLED', 'Feedback that the search looked at was deleted meanwhile. Start it again.')
}

function withoutDraft({ draft: _, ...one }: Found['ranked'][number]) {
  return one
}
