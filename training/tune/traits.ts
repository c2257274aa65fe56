import { share } from '../stats.ts'
import { cites, declines, flatters } from '../text.ts'

/** Two texts for one prompt, of which people preferred one. */
export interface Preference {
  readonly chosen: string
  readonly rejected: string
}

/** Something that a text has or has not, and the instruction that asks for it. */
interface Trait {
  readonly has: (text: string) => boolean
  readonly rule: string
}

const words = (text: string) => text.split(/\s+/).filter(Boolean)

const traits: readonly Trait[] = [
  { has: cites, rule: 'Cite the passage that each fact comes from by its number, like [1].' },
  { has: (text) => !cites(text), rule: 'Answer without numbers of passages in brackets.' },
  { has: (text) => /^\s*[-*•] /.test(text), rule: 'Answer as a list: each line begins with "- ".' },
  { has: (text) => /^\s*\d+[.)] /m.test(text), rule: 'Answer in numbered steps.' },
  { has: (text) => !/[*#`]|^\s*[-•] /m.test(text), rule: 'Answer in plain sentences, without lists or other marks.' },
  { has: (text) => text.includes('\n'), rule: 'Put each point on a line of its own.' },
  { has: (text) => /^[^\n:]{1,80}:/.test(text), rule: 'Name the topic first, then a colon, then the answer.' },
  { has: (text) => /\*\*/.test(text), rule: 'Set what matters most in bold.' },
  { has: declines, rule: "Say that you don't know when the passages don't tell." },
  { has: (text) => !declines(text), rule: 'Give the answer that the passages allow instead of declining.' },
  { has: (text) => /\byou\b/i.test(text), rule: 'Speak to the person as "you".' },
  { has: (text) => /\?\s*$/.test(text), rule: 'End with a question that helps the person on.' },
  { has: (text) => !/\?\s*$/.test(text), rule: "Don't end with a question." },
  { has: (text) => /\b(?:because|since|so that|that is why)\b/i.test(text), rule: 'Say why in half a sentence.' },
  { has: (text) => !flatters(text), rule: "Don't praise the question or the person." },
  {
    has: (text) => !/\b(?:I think|probably|maybe|perhaps|I believe|I guess)\b/i.test(text),
    rule: 'State what you know without hedging.',
  },
]

/** Shares that differ by less than this are chance. */
const least = 0.15

/**
 * Instructions for what chosen texts have and rejected ones lack, the clearest first: what a model that can't put a
 * preference into words still shows. Pure.
 *
 * @example rulesFrom([{ chosen: '- 25 days [1]', rejected: '25 days.' }])[0]
 */
export function rulesFrom(pairs: readonly Preference[]): readonly string[] {
  const found = [
    ...traits.map(({ has, rule }) => ({ rule, lead: leadOf(pairs, has) })),
    ...lengths(pairs),
    ...beginnings(pairs),
  ]
  const clear = found.filter(({ lead }) => lead >= least).toSorted((a, b) => b.lead - a.lead)
  return [...new Set(clear.map(({ rule }) => rule))]
}

type Found = { readonly rule: string; readonly lead: number }

function leadOf(pairs: readonly Preference[], has: (text: string) => boolean): number {
  return share(pairs, ({ chosen }) => has(chosen)) - share(pairs, ({ rejected }) => has(rejected))
}

function lengths(pairs: readonly Preference[]): readonly Found[] {
  const shorter = share(pairs, ({ chosen, rejected }) => words(chosen).length < 0.8 * words(rejected).length)
  const longer = share(pairs, ({ chosen, rejected }) => words(chosen).length > 1.25 * words(rejected).length)
  return [
    { rule: 'Answer in one short sentence.', lead: shorter - longer },
    { rule: 'Answer in full sentences and name what the answer rests on.', lead: longer - shorter },
  ]
}

/** Words that many chosen texts begin with and few rejected ones. */
function beginnings(pairs: readonly Preference[]): readonly Found[] {
  const first = (text: string) => words(text).slice(0, 2).join(' ')
  const openings = new Set(pairs.map(({ chosen }) => first(chosen)))
  return [...openings].flatMap((opening) => {
    if (!/^\p{L}+ \p{L}+$/u.test(opening)) return []
    const lead = leadOf(pairs, (text) => first(text) === opening)
    return lead >= 0.3 ? [{ rule: `Begin the answer with "${opening}".`, lead }] : []
  })
}
