import { counted } from '../../src/counted.ts'
import type { PromptTexts } from '../../src/ports/tune.ts'
import { sha256 } from '../hash.ts'

/** A candidate prompt: all its texts, and what it changes in words. */
export interface Draft {
  readonly texts: PromptTexts
  readonly what: string
}

/** More lines or examples than this are not proposed: every prompt would pay for them. */
const most = { lines: 12, examples: 4 } as const

/** The same for the same texts, whatever led to them. */
export function keyOf({ texts: { hidden, rules, examples } }: Draft): string {
  const pairs = examples.map(({ question, answer }) => [question, answer])
  return sha256(JSON.stringify([hidden, rules, pairs])).slice(0, 16)
}

/** Words of a prompt: of two that are as good, the shorter one is better. */
export function wordCount({ hidden, rules, examples }: PromptTexts): number {
  const texts = [...hidden, ...rules, ...examples.flatMap(({ question, answer }) => [question, answer])]
  return texts.join(' ').split(/\s+/).filter(Boolean).length
}

/** Each rule and each hidden prompt left out, and the examples. */
export function shortened({ texts, what }: Draft): readonly Draft[] {
  const { hidden, rules, examples } = texts
  const without = (list: readonly string[], i: number) => list.filter((_, at) => at !== i)
  const saying = (line: string) => joined(what, `without “${clipped(line)}”`)
  return [
    ...rules.map((rule, i) => ({ texts: { ...texts, rules: without(rules, i) }, what: saying(rule) })),
    ...hidden.map((line, i) => ({ texts: { ...texts, hidden: without(hidden, i) }, what: saying(line) })),
    ...(examples.length > 0 ? [{ texts: { ...texts, examples: [] }, what: joined(what, 'without examples') }] : []),
  ]
}

/** The prompt with one more rule; undefined where it has that already, or as many as it may have. */
export function withRule({ texts, what }: Draft, rule: string): Draft | undefined {
  const lines = [...texts.hidden, ...texts.rules]
  if (lines.length >= most.lines || lines.some((line) => same(line, rule))) return undefined
  return { texts: { ...texts, rules: [...texts.rules, rule] }, what: joined(what, `rule “${clipped(rule)}”`) }
}

/** The prompt with these examples instead of its own. */
export function withExamples({ texts, what }: Draft, examples: PromptTexts['examples']): Draft {
  const shown = examples.slice(0, most.examples)
  const noun = counted(shown.length, 'example')
  return { texts: { ...texts, examples: shown }, what: joined(what, noun) }
}

/** What two candidates changed, in one: the rules of both and the examples of the first that has some. */
export function crossed(a: Draft, b: Draft): Draft {
  const add = (mine: readonly string[], theirs: readonly string[]) =>
    [...mine, ...theirs.filter((line) => !mine.some((one) => same(one, line)))].slice(0, most.lines)
  const examples = a.texts.examples.length > 0 ? a.texts.examples : b.texts.examples
  const { hidden, rules } = a.texts
  return {
    texts: { hidden: add(hidden, b.texts.hidden), rules: add(rules, b.texts.rules), examples },
    what: joined(a.what, b.what),
  }
}

/** Without drafts whose texts are there already. */
export function unique(drafts: readonly Draft[], known: ReadonlySet<string>): readonly Draft[] {
  const seen = new Set(known)
  return drafts.filter((draft) => {
    const key = keyOf(draft)
    return !seen.has(key) && Boolean(seen.add(key))
  })
}

function same(a: string, b: string): boolean {
  const plain = (text: string) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim()
  return plain(a) === plain(b)
}

function joined(a: string, b: string): string {
  return [...new Set([...a.split('; '), b].filter(Boolean))].join('; ')
}

function clipped(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
