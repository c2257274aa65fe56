import { HoneError } from '../../src/errors.ts'
import type { CompareBudget, CompareOptions, ComparePlan } from '../../src/ports/compare.ts'
import type { Method } from '../../src/ports/trainer.ts'
import { methodData, usableLone } from '../methods.ts'
import type { Selection } from '../select.ts'
import { messageParts } from '../text.ts'
import type { Layout, Technique } from './techniques.ts'

/** What decides which techniques can run here. */
export interface Situation {
  /** Held-out prompts. */
  readonly heldOut: number
  /** What the held-out prompts have: there is nothing to take away otherwise. */
  readonly has: Pick<Layout, 'profile' | 'passages'>
  /** A guess at each method's time, or why it can't be trained. */
  readonly methods: Readonly<Record<Method, { readonly seconds: number; readonly why?: string }>>
  /** Why no examples can be told. */
  readonly noExamples?: string
  /** Techniques that have a result already. */
  readonly done: ReadonlySet<string>
}

const defaultMinutes = 30
const defaultSeed = 42
/** Measuring a row before the first one has told how long it takes. */
const secondsToMeasure = 20

/** Checks the options. @throws HoneError INPUT naming the option. */
export function budgetOf({
  minutes = defaultMinutes,
  rows,
  epochs,
  seed = defaultSeed,
}: CompareOptions): CompareBudget {
  const whole = (name: string, value: number | undefined) => {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1))
      throw new HoneError('INPUT', `The ${name} of a comparison are ${value}; it must be a whole number from 1 up.`)
  }
  if (!(minutes > 0 && minutes <= 10_000))
    throw new HoneError('INPUT', `The minutes of a comparison are ${minutes}; it must be above 0 and at most 10000.`)
  whole('rows', rows)
  whole('epochs', epochs)
  return { minutes, seed, ...(rows === undefined ? {} : { rows }), ...(epochs === undefined ? {} : { epochs }) }
}

/** The techniques that were asked for, the base always. @throws HoneError INPUT for an unknown one. */
export function askedFor(only: readonly string[] | undefined, all: readonly Technique[]): readonly Technique[] {
  const unknown = only?.find((id) => !all.some((one) => one.id === id))
  if (unknown !== undefined) {
    const known = all.map(({ id }) => id).join(', ')
    throw new HoneError('INPUT', `There is no technique "${unknown}"; there are ${known}.`)
  }
  return all.filter(({ id }) => id === 'base' || !only || only.includes(id))
}

/** What a comparison would do: each technique, whether it can run here, and about how long all of it takes. */
export function planComparison(asked: readonly Technique[], budget: CompareBudget, situation: Situation): ComparePlan {
  const rows = asked.map((technique) => {
    const why = whyNot(technique, situation)
    const { id, label } = technique
    return { id, label, done: situation.done.has(id), ...(why === undefined ? {} : { why }) }
  })
  const open = new Set(rows.filter(({ why, done }) => why === undefined && !done).map(({ id }) => id))
  const secondsGuess = secondsFor(
    asked.filter(({ id }) => open.has(id)),
    budget,
    situation.methods,
  )
  const refusal =
    situation.heldOut > 0
      ? {}
      : {
          refusal: 'Nothing is held out yet to compare on: there are no usable pairs. `hone train --dry-run` says why.',
        }
  return { budget, heldOut: situation.heldOut, rows, secondsGuess, ...refusal }
}

/** About how long the techniques take: each method is trained once, and no longer than the budget allows. */
export function secondsFor(
  rows: readonly Technique[],
  { minutes }: CompareBudget,
  methods: Situation['methods'],
  each = secondsToMeasure,
): number {
  const trained = new Set(rows.map(({ method }) => method).filter((method) => method !== undefined))
  const training = [...trained].map((method) => Math.min(methods[method].seconds, minutes * 60))
  return Math.round(training.reduce((sum, seconds) => sum + seconds, rows.length * each))
}

function whyNot({ id, layout, method }: Technique, situation: Situation): string | undefined {
  const { has, methods, noExamples } = situation
  if (!layout.profile && !has.profile && id !== 'bare')
    return 'The held-out prompts have no hidden prompts to take away.'
  if (!layout.passages && !has.passages && id !== 'bare') return 'The held-out prompts have no passages to take away.'
  if (layout.examples && noExamples !== undefined) return noExamples
  return method === undefined ? undefined : methods[method].why
}

/** What the held-out prompts have that could be taken away. */
export function hasWhat({ heldOut }: Selection): Situation['has'] {
  const messages = heldOut.flatMap(({ prompt }) => prompt)
  const asked = messages.filter(({ role }) => role === 'user').map(({ content }) => messageParts(content))
  return {
    profile: messages.some(({ role }) => role === 'system') || asked.some(({ told }) => told !== ''),
    passages: asked.some(({ passages }) => passages !== ''),
  }
}

/** The newest rows that the budget allows, pairs before lone thumbs. */
export function withinBudget(selection: Selection, { rows }: CompareBudget): Selection {
  if (rows === undefined) return selection
  const train = selection.train.slice(-rows)
  const left = rows - train.length
  const lone =
    methodData[selection.method].lone === 'none' ? selection.unpaired : usableLone(selection.method, selection.unpaired)
  return { ...selection, train, unpaired: left > 0 ? lone.slice(-left) : [] }
}
