import { z } from 'zod'
import { HoneError } from '../errors.ts'
import { styles } from '../explanation.ts'
import { outputKey } from './output.ts'
import { type Kind, readValue } from './value.ts'
import { readYaml } from './yaml.ts'

const variableName = /^[a-z]\w*(\.\w+)*$/i

const path = z.string().regex(/^\/(?!\/)/, 'it must be a path that begins with one /')
const variable = z
  .strictObject({
    type: z.enum(['text', 'number', 'boolean', 'date']).default('text'),
    choices: z.array(z.string().min(1).max(100)).min(1).optional(),
    /** What stands in when the value can't be had. */
    default: z.union([z.string(), z.number(), z.boolean()]).optional(),
    /** No reply without it. */
    required: z.literal(true).optional(),
    description: z.string().optional(),
    /** Path at the host's back end (HONE_BACKEND_URL). */
    from: path.optional(),
    /** Where in the JSON the value is, e.g. `contract.ends`. */
    pick: z.string().optional(),
    timeoutMs: z.number().int().min(1).max(30_000).default(2000),
    cacheSeconds: z.number().int().min(0).max(86_400).default(0),
  })
  .superRefine((given, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', message })
    if ((given.default === undefined) === (given.required === undefined))
      refuse('give it a "default", or say "required: true"')
    else if (given.choices && given.type !== 'text') refuse('only a variable of type text has "choices"')
    else if (given.pick !== undefined && given.from === undefined) refuse('"pick" needs a "from"')
    else if (given.default !== undefined && !fits(given, given.default))
      refuse(`the default must be ${given.choices ? `one of ${given.choices.join(', ')}` : `a ${given.type}`}`)
  })

const toolRule = z
  .strictObject({
    for: z.enum(['admins', 'everybody']).default('admins'),
    /** Whether it changes something: then the person is asked first. */
    changes: z.boolean().default(true),
    /** Instead of the tool's own. */
    description: z.string().min(1).optional(),
    timeoutMs: z.number().int().min(1).max(120_000).default(10_000),
    /** Path at the host's back end that the arguments are posted to. */
    post: path.optional(),
    arguments: outputKey.optional(),
  })
  .refine(({ post, arguments: given }) => !given || post !== undefined, '"arguments" need a "post"')
  .refine(({ post, description }) => post === undefined || description, '"post" needs a "description" for the model')

const text = z.string().min(1)
const style = z.enum(['auto', 'off', ...styles])
const frontMatter = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'use lower-case letters, digits and hyphens'),
  /** File of the profile that this one starts from, relative to this file. */
  extends: text.optional(),
  /** Hidden prompts: put before the person's text, one a line. */
  hidden: z.array(text).optional(),
  /** What the bot must or must never do, one a line. */
  rules: z.array(text).optional(),
  examples: z.array(z.strictObject({ question: text, answer: text })).optional(),
  tone: z
    .strictObject({
      default: text.optional(),
      tenants: z.record(z.string(), text).optional(),
      people: z.record(z.string(), text).optional(),
    })
    .optional(),
  /** How answers are explained, and who sees it. */
  explanation: z
    .strictObject({
      style: style.optional(),
      show: z.enum(['shown', 'folded', 'hidden']).optional(),
      tenants: z.record(z.string(), style).optional(),
      people: z.record(z.string(), style).optional(),
    })
    .optional(),
  variables: z.record(z.string().regex(variableName, 'use letters, digits, _ and dots'), variable).optional(),
  passages: z.number().int().min(0).max(20).optional(),
  cutoff: z.number().min(0).max(1).optional(),
  highlights: z.number().int().min(0).max(10).optional(),
  /** Whose judged replies are told as examples. */
  learn: z.enum(['off', 'own', 'tenant']).optional(),
  sampling: z
    .strictObject({
      temperature: z.number().min(0).max(2).optional(),
      topP: z.number().gt(0).max(1).optional(),
      maxTokens: z.number().int().min(1).max(8192).optional(),
    })
    .optional(),
  starters: z.array(text).optional(),
  /** Variables that come out of a reply. */
  output: outputKey.optional(),
  /** Which tools are used, for whom and how. */
  tools: z.record(z.string().regex(/^[a-z][\w.-]{0,63}$/i, 'use letters, digits, _, - and dots'), toolRule).optional(),
  /** How many calls one message may cause. */
  toolCalls: z.number().int().min(1).max(10).optional(),
})

/** A tool as a profile has it used. */
export type ToolRule = z.infer<typeof toolRule>
export type FrontMatter = z.infer<typeof frontMatter>
/** A variable as a profile declares it. */
export type Variable = z.infer<typeof variable>

/** One file of a profile, as it was written: nothing is inherited or filled in yet. */
export interface Layer extends FrontMatter {
  readonly file: string
  readonly source: string
  /** The Markdown below the front matter. */
  readonly body: string
}

/** Names that every turn knows without being declared. */
export const builtIn: Readonly<Record<string, Kind>> = { 'person.name': { type: 'text' }, today: { type: 'date' } }
/** Names that may stand in the path of a `from`. */
export const pathNames = ['person.id', 'person.name', 'tenant', 'channel', 'thread', 'today'] as const
export const placeholder = /\{\{\s*([\w.]+)\s*\}\}/g
/** What a turn records the tone and the style of its explanation under. */
const reserved = new Set([...Object.keys(builtIn), 'tone', 'explanation'])

/**
 * Reads one file: YAML front matter between `---` lines, then Markdown.
 *
 * @throws HoneError CONFIG naming file, line and key.
 * @example parseLayer('---\nname: desk\n---\nYou are the front desk.', 'desk.md').body
 */
export function parseLayer(source: string, file: string): Layer {
  const parts = /^---\r?\n([\s\S]*?)\r?\n---(?:\r?\n([\s\S]*))?$/.exec(source)
  if (!parts)
    throw new HoneError('CONFIG', `${file} is no profile: it must start with front matter between two lines of ---.`)
  const { value, at } = readYaml(parts[1] ?? '', frontMatter, { file, line: 2 })
  for (const name of Object.keys(value.variables ?? {}))
    if (reserved.has(name)) throw new HoneError('CONFIG', `${at(['variables', name])}: "${name}" is there already.`)
  return { ...value, body: (parts[2] ?? '').trim(), file, source }
}

/** `file, line n` of the first place that holds a text. */
export function whereIs({ file, source }: Layer, found: string): string {
  const offset = Math.max(0, source.indexOf(found))
  return `${file}, line ${source.slice(0, offset).split('\n').length}`
}

function fits(kind: Kind, value: unknown): boolean {
  try {
    readValue(kind, value)
    return true
  } catch {
    return false
  }
}
