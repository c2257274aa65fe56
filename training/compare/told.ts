import type { Knowledge } from '../../src/ports/knowledge.ts'
import { longestExample, ranked } from '../examples.ts'
import type { Pair, Unpaired } from '../pairs.ts'
import type { Selection } from '../select.ts'
import { lastMessage } from '../text.ts'
import type { Prompt } from './prompts.ts'

export type Embed = NonNullable<Knowledge['embed']>

/** As in service. */
const examplesATurn = 2

/** A judged question of the training side, the answer people wanted, and who is behind it. */
interface Candidate {
  readonly question: string
  readonly answer: string
  readonly corrected: boolean
  readonly people: readonly string[]
  readonly tenant: string
  readonly vector: Float32Array
}

/** Who would be told, as far as it decides what. */
export type Asker = Pick<Pair, 'tenant' | 'asker' | 'people'>

/** The judged examples that a question would be told, as turns of a conversation, the nearest last. */
export type Tell = (prompt: Prompt, asker: Asker) => Prompt

/**
 * Learned examples as in service (`training/examples.ts`), but from the training side alone: a held-out question that
 * was told its own judgement would prove nothing. `of` says whose judgements: the asker's own, or the tenant's.
 *
 * @example const tell = await teller({ selection, questions: [prompt], embed, of: 'own' })
 */
export async function teller(input: {
  readonly selection: Pick<Selection, 'train' | 'unpaired'>
  /** Every prompt that will be asked about. */
  readonly questions: readonly Prompt[]
  readonly embed: Embed
  readonly of: 'own' | 'tenant'
  readonly signal?: AbortSignal
}): Promise<Tell> {
  const { selection, questions, embed, of, signal } = input
  const rows = bestOf(selection)
  const asked = [...new Set(questions.map((prompt) => lastMessage(prompt).question))]
  const vectors = await embed([...rows.map(({ question }) => question), ...asked], signal)
  const candidates = rows.flatMap((row, i): readonly Candidate[] =>
    vectors[i] ? [{ ...row, vector: vectors[i] }] : [],
  )
  const vectorOf = new Map(asked.map((question, i) => [question, vectors[rows.length + i]]))
  return function tell(prompt, { tenant, asker, people }) {
    const person = asker ?? people[0]
    const open = candidates.filter(
      (one) => one.tenant === tenant && (of === 'tenant' || one.people.every((name) => name === person)),
    )
    const vector = vectorOf.get(lastMessage(prompt).question)
    const nearest = vector ? ranked(open, vector).slice(0, examplesATurn) : []
    return nearest.toReversed().flatMap(
      ({ question, answer }): Prompt => [
        { role: 'user', content: question },
        { role: 'assistant', content: answer },
      ],
    )
  }
}

type Row = Omit<Candidate, 'vector'>

/** The newest judgement of each prompt; a pair says more than a lone thumb. */
function bestOf({ train, unpaired }: Pick<Selection, 'train' | 'unpaired'>): readonly Row[] {
  const liked = unpaired.filter((row) => row.liked).map((row) => [row.promptHash, rowOf(row, row.text, false)] as const)
  const chosen = train.map((pair) => [pair.promptHash, rowOf(pair, pair.chosen, pair.origin === 'correction')] as const)
  const rows = [...new Map([...liked, ...chosen]).values()]
  return rows.filter(({ question, answer }) => question.length + answer.length <= longestExample)
}

function rowOf(row: Pair | Unpaired, answer: string, corrected: boolean): Row {
  const { prompt, people, asker, tenant } = row
  const everybody = asker === undefined ? people : [asker, ...people]
  return { question: lastMessage(prompt).question, answer, corrected, people: [...new Set(everybody)], tenant }
}
