import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { stringify } from 'yaml'
import { asHoneError, HoneError } from '../errors.ts'
import { type Style, styleFor } from '../explanation.ts'
import type { Explanation } from '../ports/store.ts'
import type { PromptTexts } from '../ports/tune.ts'
import {
  builtIn,
  type Layer,
  parseLayer,
  pathNames,
  placeholder,
  type ToolRule,
  type Variable,
  whereIs,
} from './layer.ts'
import { formOf, type OutputVariables } from './output.ts'
import { isForeseen, type Kind } from './value.ts'

/** How to speak, and to whom: a person's own tone goes before their tenant's, that before the default. */
export interface Tone {
  readonly default?: string | undefined
  readonly tenants: Readonly<Record<string, string>>
  readonly people: Readonly<Record<string, string>>
}

/** How answers are explained: a person's own style goes before their tenant's, that before `style`; `auto`: as fits the question. */
export interface ExplanationRule {
  readonly style: Style | 'auto' | 'off'
  /** With the answer, behind it for who asks for it, or kept alone. */
  readonly show: Explanation['show']
  readonly tenants: Readonly<Record<string, Style | 'auto' | 'off'>>
  readonly people: Readonly<Record<string, Style | 'auto' | 'off'>>
}

/** What shapes a reply without touching weights, whole: what it inherits is in it. */
export interface Profile {
  readonly name: string
  /** Hash of `source`. */
  readonly version: string
  /** The Markdown body: who the bot is. May use `{{variables}}`, as all texts of a profile but the tones may. */
  readonly persona: string
  readonly hidden: readonly string[]
  readonly rules: readonly string[]
  readonly examples: readonly { readonly question: string; readonly answer: string }[]
  readonly tone: Tone
  readonly explanation: ExplanationRule
  readonly variables: Readonly<Record<string, Variable>>
  /** How many passages are looked up for a message. */
  readonly passages: number
  /** Passages whose score is below this share of the best one's are left out; 0: none is. */
  readonly cutoff: number
  /** How many sentences of the passages, those nearest to the question, are told once more right before it. */
  readonly highlights: number
  /** Whose corrected and liked replies are told as examples to whoever asks: nobody's, their own, their tenant's. */
  readonly learn: 'off' | 'own' | 'tenant'
  readonly sampling: { readonly temperature: number; readonly topP: number; readonly maxTokens: number }
  readonly starters: readonly string[]
  /** Variables that come out of a reply, each with its schema. */
  readonly output: OutputVariables
  /** Tools that may be used, each with for whom and how. */
  readonly tools: Readonly<Record<string, ToolRule>>
  /** How many calls one message may cause. */
  readonly toolCalls: number
  /** The profile as one text, kept in the store under `version`: the file, or with `extends` what came out of it. */
  readonly source: string
}

/**
 * Parses a profile that inherits from none.
 *
 * @throws HoneError CONFIG naming file and line.
 * @example parseProfile('---\nname: desk\n---\nYou are the front desk.', 'desk.md').persona
 */
export function parseProfile(source: string, file: string): Profile {
  const layer = parseLayer(source, file)
  if (layer.extends !== undefined)
    throw new HoneError(
      'CONFIG',
      `${whereIs(layer, 'extends:')}: only a profile that is read from a file may extend one.`,
    )
  return profileOf([layer])
}

/**
 * The profile with other hidden prompts, rules and examples, as a version of its own.
 *
 * @throws HoneError CONFIG when a text uses a variable that the profile doesn't declare.
 * @example withTexts(profile, { ...profile, rules: [...profile.rules, 'Be brief.'] }).version
 */
export function withTexts({ source: _, version: __, ...profile }: Profile, texts: PromptTexts): Profile {
  const { hidden, rules, examples } = texts
  return parseProfile(written({ ...profile, hidden, rules, examples }), `a version of ${profile.name}`)
}

/**
 * Reads a profile file and all that it extends.
 *
 * @throws HoneError CONFIG naming file and line, for cyclic inheritance too.
 */
export async function readProfile(file: string): Promise<Profile> {
  const layers: Layer[] = []
  let next: string | undefined = file
  while (next !== undefined) {
    const layer: Layer = parseLayer(await readText(next, layers[0]), next)
    layers.unshift(layer)
    next = layer.extends === undefined ? undefined : resolve(dirname(next), layer.extends)
    if (layers.some((read) => next !== undefined && resolve(read.file) === next)) {
      const circle = [...layers.map((read) => read.file).reverse(), next].join(' → ')
      throw new HoneError('CONFIG', `${whereIs(layer, 'extends:')}: it inherits from itself: ${circle}.`)
    }
  }
  return profileOf(layers)
}

async function readText(file: string, child: Layer | undefined): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    const by = child ? `${whereIs(child, 'extends:')}: ` : ''
    throw asHoneError(error, 'CONFIG', `${by}The profile ${file} can't be read`)
  })
}

/** Joins layers, the most general one first: lists grow, tables are overridden key by key, a body replaces the one before. */
function profileOf(layers: readonly Layer[]): Profile {
  const own = layers.at(-1) as Layer
  const all = <T>(of: (layer: Layer) => readonly T[] | undefined): T[] => layers.flatMap((layer) => of(layer) ?? [])
  const table = <T extends object>(of: (layer: Layer) => T | undefined): Partial<T> =>
    Object.assign({}, ...layers.map((layer) => given(of(layer) ?? {})))
  const merged = {
    name: own.name,
    persona: layers.findLast(({ body }) => body !== '')?.body ?? '',
    hidden: all((layer) => layer.hidden),
    rules: all((layer) => layer.rules),
    examples: all((layer) => layer.examples),
    tone: {
      default: layers.findLast(({ tone }) => tone?.default)?.tone?.default,
      tenants: table((layer) => layer.tone?.tenants) as Tone['tenants'],
      people: table((layer) => layer.tone?.people) as Tone['people'],
    },
    explanation: {
      style: layers.some(({ explanation }) => explanation) ? 'auto' : 'off',
      show: 'folded',
      ...table((layer) => layer.explanation),
      tenants: table((layer) => layer.explanation?.tenants) as ExplanationRule['tenants'],
      people: table((layer) => layer.explanation?.people) as ExplanationRule['people'],
    } as ExplanationRule,
    variables: table((layer) => layer.variables) as Profile['variables'],
    passages: layers.findLast(({ passages }) => passages !== undefined)?.passages ?? 3,
    cutoff: layers.findLast(({ cutoff }) => cutoff !== undefined)?.cutoff ?? 0,
    highlights: layers.findLast(({ highlights }) => highlights !== undefined)?.highlights ?? 0,
    learn: layers.findLast(({ learn }) => learn !== undefined)?.learn ?? 'own',
    sampling: {
      temperature: 0.7,
      topP: 0.95,
      maxTokens: 256,
      ...table((layer) => layer.sampling),
    } as Profile['sampling'],
    starters: layers.findLast(({ starters }) => starters)?.starters ?? [],
    output: table((layer) => layer.output) as OutputVariables,
    tools: table((layer) => layer.tools) as Profile['tools'],
    toolCalls: layers.findLast(({ toolCalls }) => toolCalls !== undefined)?.toolCalls ?? 3,
  }
  for (const layer of layers) refuseUnknownVariables(layer, merged.variables)
  const source = layers.length === 1 ? own.source : written(merged)
  return { ...merged, source, version: createHash('sha256').update(source).digest('hex').slice(0, 12) }
}

/** What a profile with `extends` comes to, as a file that needs no other. */
function written({ persona, ...front }: Omit<Profile, 'source' | 'version'>): string {
  const variables = Object.fromEntries(Object.entries(front.variables).map(([name, one]) => [name, given(one)]))
  const form = (table: OutputVariables = {}) => (Object.keys(table).length > 0 ? formOf(table) : undefined)
  const rules = Object.entries(front.tools).map(([name, rule]) => [
    name,
    given({ ...rule, arguments: form(rule.arguments) }),
  ])
  const explanation = explains(front) ? filled(front.explanation) : {}
  const more = { explanation, output: form(front.output) ?? {}, tools: Object.fromEntries(rules) }
  const whole = { ...front, tone: filled(given(front.tone)), variables, ...more }
  return `---\n${stringify(filled(whole), { lineWidth: 0 })}---\n${persona}\n`
}

/** The entries that hold something. */
function filled(table: object): object {
  const empty = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0
  return Object.fromEntries(Object.entries(table).filter(([, value]) => !empty(value)))
}

/** The entries that are there: YAML would write the others as null. */
function given<T extends object>(table: T): Partial<T> {
  return Object.fromEntries(Object.entries(table).filter(([, value]) => value !== undefined)) as Partial<T>
}

/** The names that a profile's texts use, each with what it may hold. */
export function usedVariables(profile: Profile): Readonly<Record<string, Kind>> {
  const used = textsOf(profile).flatMap((text) => [...text.matchAll(placeholder)].map(([, name]) => name as string))
  const kinds = { ...builtIn, ...profile.variables }
  return Object.fromEntries(used.map((name) => [name, kinds[name] as Kind]))
}

/** The tone for one person. */
export function toneFor({ tone }: Profile, person: string, tenant: string): string {
  const own = Object.hasOwn(tone.people, person) ? tone.people[person] : undefined
  const shared = Object.hasOwn(tone.tenants, tenant) ? tone.tenants[tenant] : undefined
  return own ?? shared ?? tone.default ?? ''
}

/** Whether anybody's answers are explained. */
export function explains({ explanation: { style, tenants, people } }: Pick<Profile, 'explanation'>): boolean {
  return [style, ...Object.values(tenants), ...Object.values(people)].some((one) => one !== 'off')
}

/** How the answer to one question of one person is explained. */
export function explanationFor(
  { explanation }: Profile,
  { person, tenant, text }: { readonly person: string; readonly tenant: string; readonly text: string },
): Style | 'off' {
  const own = Object.hasOwn(explanation.people, person) ? explanation.people[person] : undefined
  const shared = Object.hasOwn(explanation.tenants, tenant) ? explanation.tenants[tenant] : undefined
  const style = own ?? shared ?? explanation.style
  return style === 'auto' ? styleFor(text) : style
}

/** What decides how a thread's prompt begins; with the same, a thread goes on under another version of a profile. */
export function openingKey(profile: Profile): string {
  const { persona, hidden, rules, examples, tone } = profile
  const inPlace = Object.entries(usedVariables(profile)).map(([name, kind]) => [name, isForeseen(kind)])
  const notes = [tone.people, profile.tools].map((table) => Object.keys(table).length > 0)
  return JSON.stringify([persona, hidden, rules, examples, inPlace.sort(), ...notes, explains(profile)])
}

type Texts = Pick<Profile, 'persona' | 'hidden' | 'rules' | 'examples'>

function textsOf({ persona, hidden, rules, examples }: Texts): readonly string[] {
  return [persona, ...hidden, ...rules, ...examples.flatMap(({ question, answer }) => [question, answer])]
}

function refuseUnknownVariables(layer: Layer, declared: Profile['variables']): void {
  const { hidden = [], rules = [], examples = [] } = layer
  const known = new Set([...Object.keys(builtIn), ...Object.keys(declared)])
  for (const [found, name] of textsOf({ persona: layer.body, hidden, rules, examples })
    .join('\n')
    .matchAll(placeholder)) {
    if (known.has(name as string)) continue
    const help = 'which is not under "variables". Declare it with a default.'
    throw new HoneError('CONFIG', `${whereIs(layer, found)} uses ${found}, ${help}`)
  }
  const paths: readonly string[] = pathNames
  const from = Object.values(layer.variables ?? {}).map((variable) => variable.from ?? '')
  const post = Object.values(layer.tools ?? {}).map((rule) => rule.post ?? '')
  for (const [found, name] of [...from, ...post].join('\n').matchAll(placeholder)) {
    if (paths.includes(name as string)) continue
    const help = `in a path; there may stand ${paths.join(', ')}.`
    throw new HoneError('CONFIG', `${whereIs(layer, found)} uses ${found} ${help}`)
  }
}
