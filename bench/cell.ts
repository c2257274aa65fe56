import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HoneError } from '../src/errors.ts'
import type { TrainOptions } from '../src/ports/learning.ts'
import { take } from './exam.ts'
import { cache, type ModelName, settingsOf } from './family.ts'
import { flipped } from './flip.ts'
import { examOf, judgedFolder, labSettings, rule } from './judged.ts'
import { train } from './judging.ts'
import { keptJson } from './kept.ts'
import { type Lab, openLab } from './lab.ts'
import { seeded } from './result.ts'
import { type Cell, type CellResult, nameOf, optionsOf } from './studies.ts'

/** Where a cell is run. */
export interface Place {
  readonly model: ModelName
  readonly seed: number
}

/** What a cell came to; run once and kept. */
export function resultOf(cell: Cell, place: Place, say: (text: string) => void): Promise<CellResult> {
  const path = join(cache, place.model, 'runs', `${nameOf(cell)}.seed-${place.seed}.json`)
  return keptJson(path, () => runCell(cell, place, say))
}

async function runCell(cell: Cell, { model, seed }: Place, say: (text: string) => void): Promise<CellResult> {
  const exam = await examOf(model, say)
  await using lab = await copiedLab({ model, seed, prompts: cell.prompts }, say)
  if (cell.flipped > 0) say(`${await flip(lab, cell.flipped, seeded(seed))} votes are flipped`)
  const trained = await trainOnce(lab, optionsOf(cell, seed))
  const registry = await lab.parts.registry()
  const slot = await lab.parts.slot()
  // A refused model of its own is removed at once, so what it says stays unknown.
  const made = (await registry.list()).findLast(({ manifest }) => !manifest.model?.pruned)
  const base = lab.parts.model().base
  const mark = made
    ? await slot.borrow(await registry.toVersion(made.manifest.id, base), (engine) => take(exam, rule, engine))
    : undefined
  const { state, why, seconds } = trained
  say(`${state} after ${seconds.toFixed(0)} s: ${JSON.stringify(mark)} ${why.join(', ')}`)
  return { cell, model, seed, ...trained, before: exam.base.behaviour, ...(mark ? { mark } : {}) }
}

/** What keeps a run from starting: too little feedback, or an engine that can't load what it would make. Both are answers. */
const noStart = ['NOT_ENOUGH_DATA', 'ENGINE_MISSING']

/** How a run ended. One that could not even start says why. */
async function trainOnce(lab: Lab, options: TrainOptions): Promise<Pick<CellResult, 'state' | 'why' | 'seconds'>> {
  try {
    const { job, gate, seconds } = await train(lab, options)
    const { error } = job.detail as { readonly error?: { readonly message: string } }
    const why = error ? [error.message] : gate?.checks.filter(({ pass }) => !pass).map(({ id }) => id)
    return { state: job.state, why: why ?? [], seconds }
  } catch (error) {
    if (!(error instanceof HoneError) || !noStart.includes(error.code)) throw error
    return { state: 'not started', why: [error.message], seconds: 0 }
  }
}

/** A lab on a copy of what was judged, which goes with the lab. */
export async function copiedLab(what: Place & { readonly prompts: number }, say: (text: string) => void): Promise<Lab> {
  const folder = await judgedFolder(what, say)
  const copy = await mkdtemp(join(tmpdir(), 'hone-bench-'))
  await cp(folder, copy, { recursive: true })
  const lab = await openLab([], { ...(await settingsOf(what.model, say)), ...labSettings }, copy)
  return {
    ...lab,
    async [Symbol.asyncDispose]() {
      await lab[Symbol.asyncDispose]()
      await rm(copy, { recursive: true, force: true })
    },
  }
}

async function flip(lab: Lab, share: number, random: () => number): Promise<number> {
  const { feedback } = lab.bot.store
  const { votes, duels } = flipped(await Array.fromAsync(feedback.judged()), share, random)
  for (const vote of votes) await feedback.vote(vote)
  for (const duel of duels) await feedback.duel(duel)
  return votes.length + duels.length
}
