import type { TrainPlan } from '../src/ports/learning.ts'
import { rowCounts } from './dataset.ts'
import { methodData, usableLone } from './methods.ts'
import { guess, type Hyper } from './recipes.ts'
import { replayCount } from './replay.ts'
import type { Selection } from './select.ts'

/** Characters a token, roughly, where only a guess is wanted. */
const charactersPerToken = 3.5

/** What a run of these rows would be: counts, reasons, and a guess at time and memory on a CPU. */
export function planOf(selection: Selection, parameters: number, hyper: Hyper): TrainPlan {
  const { train, unpaired, method, leftOut, notes, refusal } = selection
  const replay = replayCount(selection)
  const { work } = methodData[method]
  const pairTokens = train.map(({ prompt, chosen, rejected }) => tokens(prompt, chosen) + tokens(prompt, rejected))
  const loneTokens = usableLone(method, unpaired).map(({ prompt, text }) => tokens(prompt, text))
  const all = [...pairTokens, ...loneTokens].reduce((sum, count) => sum + Math.min(count, 2 * hyper.maxLength), 0)
  const { seconds, memoryMb } = guess(parameters, hyper, { tokens: work * (all + replay * 60), base: replay })
  return {
    method,
    rows: rowCounts(selection, replay),
    leftOut,
    notes,
    secondsGuess: seconds,
    memoryGuessMb: memoryMb,
    ...(refusal === undefined ? {} : { refusal }),
  }
}

function tokens(prompt: readonly { readonly content: string }[], reply: string): number {
  const characters = prompt.reduce((sum, { content }) => sum + content.length, reply.length)
  return Math.ceil(characters / charactersPerToken)
}
