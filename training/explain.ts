import { HoneError } from '../src/errors.ts'
import { explanations } from '../src/explanation.ts'
import type { ChatMessage, Engine } from '../src/ports/engine.ts'
import { type Explained, keptExplanations, type ReplayRow } from './dataset.ts'
import { shuffled } from './hash.ts'
import { inTurns, stopIf } from './measure.ts'
import type { ReplayInput } from './replay.ts'
import { secretIn } from './secrets.ts'
import { minRows, type Selection } from './select.ts'
import { nearlyIdentical, wordsOf } from './similar.ts'
import { declines, distinctThrees, holds, valuesOf } from './text.ts'

/**
 * How a teacher is asked to explain: in the styles that profiles know, now the answer first and now last. Varied, so that
 * the model learns to follow the instruction and not one phrase.
 */
export const instructions: readonly string[] = Object.values(explanations).map((request, index) =>
  index % 2 === 0 ? `Answer, then ${request}.` : `First ${request}. Then give the answer.`,
)

/** Two instructions a question: the same facts put in two ways. */
const perQuestion = 2

/** What explained answers are made from and with. */
export interface ExplainInput extends Omit<ReplayInput, 'slot' | 'base'> {
  readonly teacher: Engine
}

interface Task {
  readonly prompt: readonly ChatMessage[]
  /** The answer that people liked: an explanation must come to it. */
  readonly liked: string
}

/**
 * Explanation tuning as in Orca (https://arxiv.org/abs/2306.02707): a teacher answers the questions of this bot's own
 * feedback under varied system instructions that ask for reasons, and the model is trained on what it wrote. Kept is what
 * ends, explains, agrees with the answer people liked and repeats neither itself nor another row. The explanations of liked
 * replies that profiles asked for are rows as they are.
 *
 * @throws HoneError NOT_ENOUGH_DATA when too few are left, with the reasons; CANCELLED when the signal aborts.
 */
export async function makeExplained({
  teacher,
  selection,
  seed,
  signal,
  onProgress,
}: ExplainInput): Promise<Explained> {
  const tasks = tasksOf(selection, seed)
  let done = 0
  const answers = await inTurns([...tasks.entries()], signal, async ([index, { prompt }]) => {
    const answer = await ask(teacher, prompt, { seed: seed + index, signal })
    onProgress?.(++done, tasks.length)
    return answer
  })
  const rows: ReplayRow[] = [...keptExplanations(selection)]
  const leftOut: Record<string, number> = {}
  for (const [index, task] of tasks.entries()) {
    const completion = answers[index]
    const fault = completion === undefined ? 'cut off or empty' : faultOf(task, completion, rows)
    if (fault === undefined && completion !== undefined) rows.push({ prompt: task.prompt, completion })
    else leftOut[`explanation ${fault}`] = (leftOut[`explanation ${fault}`] ?? 0) + 1
  }
  if (rows.length >= minRows) return { rows, leftOut }
  const why = Object.entries(leftOut).map(([reason, count]) => `${count} ${reason}`)
  throw new HoneError(
    'NOT_ENOUGH_DATA',
    `Of ${tasks.length} explanations that the teacher wrote ${rows.length} can be used, ${minRows} are needed: ` +
      `${why.join(', ')}. Name a better teacher with HONE_TEACHER_URL and HONE_TEACHER_MODEL.`,
  )
}

/** Each question of the training side under some of the instructions, added to the bot's own system message. */
function tasksOf({ train, unpaired }: Selection, seed: number): readonly Task[] {
  const liked = unpaired
    .filter((row) => row.liked)
    .map(({ promptHash, prompt, text }) => ({ promptHash, prompt, text }))
  const chosen = train.map(({ promptHash, prompt, chosen: text }) => ({ promptHash, prompt, text }))
  const questions = [...new Map([...liked, ...chosen].map((row) => [row.promptHash, row])).values()]
  return questions.flatMap(({ prompt, text }, index) =>
    shuffled(instructions, seed + index)
      .slice(0, perQuestion)
      .map((instruction) => ({ prompt: instructed(prompt, instruction), liked: text })),
  )
}

/** The prompt with one more instruction in its system message. */
export function instructed(prompt: readonly ChatMessage[], instruction: string): readonly ChatMessage[] {
  const [first, ...rest] = prompt
  if (first?.role !== 'system') return [{ role: 'system', content: instruction }, ...prompt]
  return [{ role: 'system', content: `${first.content}\n\n${instruction}` }, ...rest]
}

/** Why an explanation is not trained on, if it isn't. */
function faultOf({ prompt, liked }: Task, text: string, kept: readonly ReplayRow[]): string | undefined {
  if (secretIn(text)) return 'with a secret'
  if (declines(text) !== declines(liked)) return 'that disagrees with the liked answer'
  if (valuesOf(prompt, liked).some((value) => !holds(text, value))) return 'that disagrees with the liked answer'
  if (wordsOf(text).length < wordsOf(liked).length + 5) return 'that explains nothing'
  if (distinctThrees(text) < 0.7) return 'that repeats itself'
  if (kept.some(({ completion }) => nearlyIdentical(completion, text))) return 'like another'
  return undefined
}

/** The teacher's answer; undefined when it was cut off, for such an answer would teach the model not to end. */
async function ask(
  teacher: Engine,
  prompt: readonly ChatMessage[],
  { seed, signal }: { readonly seed: number; readonly signal: AbortSignal },
): Promise<string | undefined> {
  let text = ''
  let whole = false
  for await (const delta of teacher.generate(prompt, { temperature: 0.7, seed, maxTokens: 384, signal })) {
    if (delta.kind === 'text') text += delta.text
    else whole = delta.reason === 'stop'
  }
  stopIf(signal)
  return whole && text.trim() !== '' ? text.trim() : undefined
}
