import { handbooks, isRight, openLab, type Question, saysUnknown } from '../lab.ts'
import { atLeast, figure, type Result } from '../result.ts'

interface Tally {
  right: number
  asked: number
  readonly wrong: { readonly question: string; readonly wanted: string | null; readonly got: string }[]
}

/**
 * Questions on generated handbooks whose facts the starter model has never seen, through the whole product path:
 * retrieval, prompt, generation as the sample profile samples it.
 */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  const [right, unknown, ...others] = await reading('starter', {}, say)
  const goal = ({ name, value, unit, detail }: Result) => atLeast(name, value, 0.9, unit, detail)
  return [...[right, unknown].flatMap((result) => (result ? [goal(result)] : [])), ...others]
}

/** How well the model of these settings reads; the figures begin with `name`. */
export async function reading(
  name: string,
  settings: Readonly<Record<string, string>>,
  say: (text: string) => void,
): Promise<readonly Result[]> {
  const known: Tally = { right: 0, asked: 0, wrong: [] }
  const unknown: Tally = { right: 0, asked: 0, wrong: [] }
  let falseUnknown = 0
  let found = 0
  for (const { folder, questions } of await handbooks()) {
    say(`${questions.length} questions on ${folder}`)
    await using lab = await openLab([folder], { ...settings, HONE_DUEL_RATE: '0' })
    for (const question of questions) {
      const { text, passages } = await answerTo(question, lab)
      const tally = question.answer === null ? unknown : known
      tally.asked += 1
      if (isRight(question, text)) tally.right += 1
      else tally.wrong.push({ question: question.question, wanted: question.answer, got: text })
      if (question.answer === null) continue
      if (saysUnknown(text)) falseUnknown += 1
      if (isRight(question, passages)) found += 1
    }
  }
  return [
    figure(`${name}.right`, known.right / known.asked, 'share', known),
    figure(`${name}.says-unknown`, unknown.right / unknown.asked, 'share', unknown),
    figure(`${name}.falsely-unknown`, falseUnknown / known.asked, 'share'),
    figure(`${name}.answer-in-passages`, found / known.asked, 'share'),
  ]
}

/** Asks it, after the turns that come before it. */
async function answerTo(
  question: Question,
  lab: Awaited<ReturnType<typeof openLab>>,
): Promise<{ readonly text: string; readonly passages: string }> {
  let thread: string | undefined
  for (const earlier of question.turns ?? []) thread = (await lab.ask(earlier.question, thread)).thread
  const [reply] = (await lab.ask(question.question, thread)).replies
  const turn = reply && (await lab.bot.store.turns.get(reply.turn))
  const sources = turn?.role === 'assistant' ? turn.sources : []
  return { text: reply?.text ?? '', passages: sources.map((source) => source.text).join('\n') }
}
