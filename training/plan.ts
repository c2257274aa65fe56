import type { TrainPlan } from '../src/ports/learning.ts'
import type { Fit, Machine } from '../src/ports/trainer.ts'
import { rowCounts } from './dataset.ts'
import { fitTo, type Lengths } from './memory.ts'
import { methodData, usableLone } from './methods.ts'
import type { ModelShape } from './model-shape.ts'
import { guessSeconds, type Hyper } from './recipes.ts'
import { replayCount } from './replay.ts'
import type { Selection } from './select.ts'

/** A plan, and the settings that it comes to on this machine. */
export interface Planned {
  readonly plan: TrainPlan
  readonly hyper: Hyper
  readonly fit: Fit
}

/** A reply that nobody has written yet, as the base's own answers and a teacher's, has about so many tokens. */
const replayTokens = 60

/** What a run of these rows would be: counts, reasons, a guess at its time, and how its memory fits the machine. */
export function planOf(selection: Selection, shape: ModelShape, hyper: Hyper, machine: Machine | undefined): Planned {
  const { method, leftOut, notes, refusal } = selection
  const replay = replayCount(selection)
  const sequences = sequencesOf(selection, shape.vocabulary)
  const cut = sequences.map(({ whole }) => Math.min(whole, hyper.maxLength))
  const tokens = methodData[method].work * (cut.reduce((sum, count) => sum + count, 0) + replay * replayTokens)
  const room = machine ?? { device: 'cpu', freeMb: Number.POSITIVE_INFINITY }
  const fitted = fitTo(room, shape, { method, hyper, lengths: lengthsOf(sequences, hyper) })
  const { microBatch, checkpointing, processes, sharded, maxLength, needMb } = fitted.plan
  const why = refusal ?? fitted.refusal
  const plan: TrainPlan = {
    method,
    rows: rowCounts(selection, replay),
    leftOut,
    notes,
    secondsGuess: guessSeconds(shape.parameters, hyper, { tokens, base: replay }),
    memoryGuessMb: needMb,
    ...(machine ? { memory: fitted.plan } : {}),
    ...(why === undefined ? {} : { refusal: why }),
  }
  return {
    plan,
    hyper: { ...hyper, maxLength },
    fit: { microBatch, checkpointing, ...(processes && { processes }), ...(sharded && { sharded }) },
  }
}

interface Sequence {
  readonly whole: number
  /** Without the older messages, which can be left out. */
  readonly least: number
}

function sequencesOf({ train, unpaired, method }: Selection, vocabulary: number): readonly Sequence[] {
  const sequence = (prompt: Prompt, reply: string): Sequence => ({
    whole: tokens([...prompt, { content: reply }], vocabulary),
    least: tokens(
      [...prompt.filter(({ role }) => role === 'system'), ...prompt.slice(-1), { content: reply }],
      vocabulary,
    ),
  })
  return [
    ...train.flatMap(({ prompt, chosen, rejected }) => [sequence(prompt, chosen), sequence(prompt, rejected)]),
    ...usableLone(method, unpaired).map(({ prompt, text }) => sequence(prompt, text)),
  ]
}

type Prompt = readonly { readonly role: string; readonly content: string }[]

function lengthsOf(sequences: readonly Sequence[], { maxLength }: Hyper): Lengths {
  const most = (counts: readonly number[]) => counts.reduce((a, b) => Math.max(a, b), 0)
  const longest = most(sequences.map(({ whole }) => whole)) || maxLength
  // A guess that is too low here would cut a question's own passages.
  return { longest, uncut: Math.ceil(1.25 * most(sequences.map(({ least }) => least))) }
}

/** A message's own tokens in a chat template, roughly. */
const markers = 5

/** Roughly: a large vocabulary has longer pieces, one of bytes has one a character. */
function tokens(messages: readonly { readonly content: string }[], vocabulary: number): number {
  const charactersPerToken = vocabulary < 1000 ? 1 : vocabulary < 20_000 ? 3 : 3.5
  return messages.reduce((sum, { content }) => sum + markers + Math.ceil(content.length / charactersPerToken), 0)
}
