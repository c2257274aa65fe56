import type { ChatMessage } from './ports/engine.ts'

/**
 * How an answer may be explained: explanation tuning as in Orca (Mukherjee et al. 2023, https://arxiv.org/abs/2306.02707),
 * where varied instructions make a model give its reasons. Each goes on from "Answer, then …". Profiles ask for them in
 * prompts, and training asks its teacher with them, so a model that was taught them knows what prompts ask for.
 */
export const explanations = {
  facts: 'say in two or three sentences which facts the answer rests on',
  steps: 'name the facts that matter one after the other, and say what follows from each',
  plain: 'explain it in plain words to somebody who is new to this',
  reason: 'give the reason for it, as you would to a colleague who has doubts',
  source: 'say for each part of it which passage it comes from',
  condition: 'say which condition decides it, and whether that is met',
  contrast: 'give one example of it, and one of something else that is easily taken for it',
  check: 'say how somebody could check that it is right',
} as const satisfies Readonly<Record<string, string>>

export type Style = keyof typeof explanations
export const styles = Object.keys(explanations) as readonly Style[]

/** What a question asks for, by its words; English ones. The first that fits decides, so the order matters. */
const kinds: readonly (readonly [pattern: RegExp, style: Style])[] = [
  // How to do something.
  [/^how (?:do|can|could|should|would|must) (?:i|we|you|one)\b|^how to\b|\bsteps?\b.*\bto\b/, 'steps'],
  // Why something is so.
  [/^(?:why|how come|for what reason)\b|\bwhat(?:'s| is| are)? the reasons?\b/, 'reason'],
  // A number or a date.
  [/^how (?:many|much|long|often|far|old|soon|late|early|big|large|high)\b/, 'source'],
  [/^(?:by |until |since |from )?(?:when|what time|(?:what|which) (?:date|day|month|year|hour)s?)\b/, 'source'],
  [
    /^what(?:'s| is| are) the (?:price|cost|fee|limit|deadline|number|amount|date|rate|(?:opening )?hours|maximum|minimum)/,
    'source',
  ],
  // A definition.
  [/^(?:what does .*\bmean\b|what(?:'s| is| are) (?:an? |the meaning of )|define\b|who (?:is|are)\b)/, 'plain'],
  // Yes or no.
  [
    /^(?:is|are|am|was|were|do|does|did|can|could|may|must|should|shall|will|would|has|have|had)(?:n't)? (?!you (?:tell|explain|show|help))/,
    'condition',
  ],
]

/**
 * The style that fits a kind of question: `steps` for how to, `reason` for why, `source` for a number or a date, `plain`
 * for a definition, `condition` for yes or no, `facts` for all else. The last sentence that asks something decides.
 *
 * @example styleFor('How many days off do I get?') // 'source'
 */
export function styleFor(question: string): Style {
  const sentences =
    question
      .slice(-2000)
      .toLowerCase()
      .replaceAll('’', "'")
      .match(/[^.!?\n]+[.!?]?/g) ?? []
  const asked = (sentences.findLast((one) => one.endsWith('?')) ?? sentences.at(-1) ?? '').trim()
  const begins = asked.replace(/^(?:(?:and|but|so|ok|okay|hi|hello|please|also|then|well)[, ]+)+/, '')
  return kinds.find(([pattern]) => pattern.test(begins))?.[1] ?? 'facts'
}

/** The line that a model puts between its answer and the explanation. */
export const whyMark = '<why>'
/** What a profile's system message says of the form, where it wants explanations. */
export const explainNote = `An explain block says what to write behind an answer: a line ${whyMark}, then the explanation.`
/** What takes an earlier request back. */
const withoutIt = 'Answer without an explanation.'

/** The request for a style, as the `explain` block of a person's turn has it. */
export function requestFor(style: Style | 'off'): string {
  return style === 'off'
    ? withoutIt
    : `Answer first. Then write ${whyMark} on a line of its own and ${explanations[style]}.`
}

/** A whole reply in its two parts; without `explanation` all of it is the answer. */
export interface InParts {
  readonly answer: string
  readonly explanation?: string
}

/** The pieces of a reply around its marks. `inside` is undefined where there is no mark. */
interface Pieces {
  readonly before: string
  readonly inside?: string
  /** What comes after `</why>`; undefined where that has not come. */
  readonly behind?: string
}

function piecesOf(said: string): Pieces {
  const text = said.trimStart()
  const opens = /<why>/i.exec(text)
  if (!opens) return { before: text }
  const before = text.slice(0, opens.index).trimEnd()
  const rest = text.slice(opens.index + opens[0].length).trimStart()
  const closes = /<\/why>/i.exec(rest)
  if (!closes) return { before, inside: rest }
  const behind = rest.slice(closes.index + closes[0].length)
  return { before, inside: rest.slice(0, closes.index).trimEnd(), behind: behind.trimStart() }
}

/**
 * Takes a whole reply apart. The answer comes first, so that people read it at once and a reply that is cut off loses
 * nothing but reasons; a model that explains first, within `<why>…</why>`, is understood too. What has no mark, or nothing
 * on one side of it, is an answer as a whole: nothing is lost.
 *
 * @example inParts('25 days [1].\n<why>\nThe page says so.') // { answer: '25 days [1].', explanation: 'The page says so.' }
 */
export function inParts(said: string): InParts {
  const { before, inside = '', behind = '' } = piecesOf(said.trimEnd())
  const answer = joined(before, behind)
  return answer && inside ? { answer, explanation: inside } : { answer: answer || inside || said.trim() }
}

const heading = '**Why:** '

/**
 * The beginning of a growing reply that people may read already: of its answer, and with `shown` of its explanation. Held
 * back is what may become a mark. What it answers for a longer text begins with what it answered for the shorter one.
 *
 * @example soFar('25 days.\n<wh', false) // '25 days.'
 */
export function soFar(said: string, shown: boolean): string {
  const { before, inside, behind } = piecesOf(said)
  if (inside === undefined) return before.replace(/<(?:w(?:h(?:y)?)?)?$/i, '').trimEnd()
  // Explained first: the answer is still to come.
  if (!before) return (behind ?? '').trimEnd()
  const sure = behind === undefined ? inside.replace(/<(?:\/(?:w(?:h(?:y)?)?)?)?$/i, '').trimEnd() : inside
  return joined(before, shown && sure ? heading + sure : '', (behind ?? '').trimEnd())
}

/** A whole reply whose explanation is shown with it. */
export function shownWhole(said: string): string {
  const { answer, explanation } = inParts(said)
  if (!explanation) return answer
  const { before, behind = '' } = piecesOf(said.trimEnd())
  return before ? joined(before, heading + explanation, behind) : joined(answer, heading + explanation)
}

function joined(...texts: readonly string[]): string {
  return texts.filter(Boolean).join('\n\n')
}

/**
 * A prompt as if nobody had asked it for explanations: without the note, the requests, and the explanations of earlier
 * replies. One that never asked is answered as it is.
 */
export function withoutExplanations(prompt: readonly ChatMessage[]): readonly ChatMessage[] {
  const [system] = prompt
  if (system?.role !== 'system' || !system.content.split('\n').includes(explainNote)) return prompt
  const without: Readonly<Record<ChatMessage['role'], (content: string) => string>> = {
    system: (content) =>
      content
        .split('\n')
        .filter((line) => line !== explainNote)
        .join('\n'),
    user: (content) => content.replace(/(?:^|\n\n)<explain>\n[\s\S]*?\n<\/explain>/g, ''),
    assistant: (content) => inParts(content).answer,
  }
  return prompt
    .map(({ role, content }) => ({ role, content: without[role](content) }))
    .filter(({ role, content }) => role !== 'system' || content !== '')
}
