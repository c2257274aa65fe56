import { redact } from '../redact.ts'
import { secretIn } from '../secrets.ts'
import { distinctThrees } from '../text.ts'
import type { PromptProfile } from './facts.ts'

/** What decides whether a text may stand in a prompt that everybody's replies are made with. */
export interface GuardInput {
  readonly profile: Pick<PromptProfile, 'persona' | 'hidden' | 'rules' | 'examples' | 'variables'>
  /** All that people wrote, and all that was answered. */
  readonly said: readonly string[]
  /** Names and ids of people. */
  readonly people: readonly string[]
}

/** Says what is wrong with a text, or nothing. */
export interface Guard {
  /** An instruction: in its own words, without a fact or a name of anybody's conversation. */
  ofLine(line: string): string | undefined
  /** A judged question with its answer; `titles` are those of the passages that it could rest on. */
  ofExample(example: { readonly question: string; readonly answer: string }, titles: string): string | undefined
}

/** As many words in a row as somebody wrote are somebody's words. */
const run = 6
const lineWords = { least: 3, most: 40 } as const
const exampleLength = 600
/** "In 2 sentences" is an instruction; a larger number is somebody's fact. */
const smallNumber = 10

const wordsIn = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []

/**
 * Keeps names, personal data, secrets and other people's words out of a prompt. Names can't be told for sure: whatever
 * is written with a capital inside a sentence of a conversation counts as one, unless the profile has it too.
 *
 * @example guardOf({ profile, said: ['Ask Berta.'], people: ['web:anna'] }).ofLine('Say what Berta says.') // 'a name'
 */
export function guardOf({ profile, said, people }: GuardInput): Guard {
  const own = [profile.persona, ...profile.hidden, ...profile.rules]
  const operators = own.join('\n')
  const known = new Set(wordsIn(operators))
  const names = new Set([...said.flatMap(namesIn), ...people.flatMap(nameOf)].filter((name) => !known.has(name)))
  const persons = new Set(people.flatMap(nameOf))
  const runs = new Set(said.flatMap(runsOf))
  const common = (text: string): string | undefined => {
    const used = [...text.matchAll(/\{\{\s*([\w.]+)\s*\}\}/g)].map(([, name]) => name ?? '')
    if (used.some((name) => !profile.variables.includes(name)) || /\{\{|\}\}/.test(withoutPlaceholders(text)))
      return 'a variable that the profile lacks'
    if (/[<＜﹤]/.test(text)) return 'marks'
    if (secretIn(text) !== undefined) return 'a secret'
    return redact(text, operators) !== text || /\[(?:email|phone|IBAN)\]/.test(text) ? 'personal data' : undefined
  }
  return {
    ofLine(line) {
      const words = wordsIn(line)
      if (words.length < lineWords.least || words.length > lineWords.most || /[\r\n]/.test(line))
        return 'no short instruction'
      if (distinctThrees(line) < 0.8) return 'repeats itself'
      if (words.some((word) => names.has(word)) || namesIn(line).some((name) => !known.has(name))) return 'a name'
      if ((line.match(/\d+/g) ?? []).some((number) => Number(number) > smallNumber && !known.has(number)))
        return 'a number'
      if (runsOf(line).some((words) => runs.has(words))) return 'somebody’s words'
      if (/\bhttps?:|\bwww\./i.test(line)) return 'an address'
      return common(line)
    },
    ofExample({ question, answer }, titles) {
      const text = `${question}\n${answer}`
      if (question.trim() === '' || answer.trim() === '' || text.length > exampleLength) return 'too long or empty'
      const allowed = new Set([...known, ...wordsIn(titles)])
      if (wordsIn(text).some((word) => persons.has(word))) return 'a name'
      if ([question, answer].flatMap(namesIn).some((name) => !allowed.has(name))) return 'a name'
      if (/\bhttps?:|\bwww\./i.test(text)) return 'an address'
      return common(question) ?? common(answer)
    },
  }
}

/** Words with a capital inside a sentence, in lower case; not "I". */
function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/(?<=[\p{L}\d,;:’')-] )\p{Lu}[\p{L}'’-]+/gu)].map(([name]) => name.toLowerCase())
}

/** `web:anna` → `anna`; ids of platforms are no names. */
function nameOf(person: string): readonly string[] {
  return wordsIn(person.slice(person.indexOf(':') + 1)).filter((word) => /^\p{L}{3,}$/u.test(word))
}

function runsOf(text: string): readonly string[] {
  const words = wordsIn(text)
  return words.slice(run - 1).map((_, i) => words.slice(i, i + run).join(' '))
}

function withoutPlaceholders(text: string): string {
  return text.replace(/\{\{\s*[\w.]+\s*\}\}/g, '')
}
