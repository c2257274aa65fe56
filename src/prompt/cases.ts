import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { HoneError } from '../errors.ts'
import { readYaml } from './yaml.ts'

const oneOrMore = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).transform((given) => [given].flat())
const expectation = z
  .strictObject({
    /** Texts that the reply holds, whatever the case of their letters. */
    contains: oneOrMore.optional(),
    excludes: oneOrMore.optional(),
    /** Regular expressions that match the reply. */
    matches: oneOrMore.optional(),
    /** True: any source. A text: a source whose document ends with it, or whose title holds it. */
    cites: z.union([z.boolean(), z.string().min(1)]).optional(),
    /** Whether the reply says that it doesn't know or won't say. */
    refuses: z.boolean().optional(),
    /** JSON Schema of the reply read as JSON. */
    schema: z.record(z.string(), z.unknown()).optional(),
    /** Output variables, each with the value it must come to. */
    output: z.record(z.string(), z.unknown()).optional(),
  })
  .refine(
    (given) => Object.keys(given).length > 0,
    'expect something: contains, excludes, matches, cites, refuses, schema, output',
  )

const testFile = z.strictObject({
  /** The profile, relative to this file. */
  profile: z.string().min(1).optional(),
  /** Files and folders to answer from, relative to this file. */
  documents: z.array(z.string().min(1)).optional(),
  cases: z
    .array(
      z.strictObject({
        name: z.string().min(1).optional(),
        input: z.string().min(1),
        variables: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
        /** For tones: who asks, and where. */
        person: z.string().optional(),
        tenant: z.string().optional(),
        expect: expectation,
      }),
    )
    .min(1),
})

export type TestFile = z.infer<typeof testFile>
export type Case = TestFile['cases'][number]

/** What a case is judged by. `declines`: the reply says that it doesn't know. */
export interface Said {
  readonly text: string
  readonly sources: readonly { readonly document: string; readonly title: string }[]
  readonly declines: boolean
  /** Values of the output variables, where they could be read. */
  readonly output?: Readonly<Record<string, unknown>>
}

/**
 * Reads a file of cases.
 *
 * @throws HoneError CONFIG naming file, line and key; for a pattern or a schema that can't be used, too.
 * @example parseCases('cases: [{ input: Hi, expect: { contains: Hello } }]', 'cases.yaml').cases[0].input
 */
export function parseCases(text: string, file: string): TestFile {
  const { value, at } = readYaml(text, testFile, { file, line: 1 })
  for (const [index, { expect }] of value.cases.entries()) {
    const check = (key: 'matches' | 'schema', use: () => unknown) => {
      try {
        use()
      } catch (error) {
        const where = at(['cases', index, 'expect', key])
        throw new HoneError('CONFIG', `${where}: "${key}" can't be used: ${String(error)}`)
      }
    }
    check('matches', () => expect.matches?.map(pattern))
    check('schema', () => expect.schema && jsonSchema(expect.schema))
  }
  return value
}

/** What a reply lacks of what was expected, in words; nothing for one that passes. */
export function shortfalls({ expect }: Case, said: Said): readonly string[] {
  const lower = said.text.toLowerCase()
  const holds = (part: string) => lower.includes(part.toLowerCase())
  const { contains = [], excludes = [], matches = [], cites, refuses, schema, output = {} } = expect
  return [
    ...contains.filter((part) => !holds(part)).map((part) => `doesn't contain "${part}"`),
    ...excludes.filter(holds).map((part) => `contains "${part}"`),
    ...matches.filter((one) => !pattern(one).test(said.text)).map((one) => `doesn't match /${one}/`),
    ...(cites === undefined || isCited(cites, said) ? [] : [citeShortfall(cites)]),
    ...(refuses === undefined || refuses === said.declines ? [] : [refuses ? 'doesn’t refuse' : 'refuses']),
    ...(schema ? schemaShortfall(schema, said.text) : []),
    ...Object.entries(output).flatMap(([name, wanted]) => outputShortfall(name, wanted, said.output)),
  ]
}

function pattern(source: string): RegExp {
  return new RegExp(source, 'is')
}

function isCited(wanted: boolean | string, { sources }: Said): boolean {
  if (typeof wanted === 'boolean') return sources.length > 0 === wanted
  return sources.some(({ document, title }) => document.endsWith(wanted) || title.includes(wanted))
}

function citeShortfall(wanted: boolean | string): string {
  if (wanted === false) return 'cites a source'
  return wanted === true ? 'cites no source' : `doesn't cite ${wanted}`
}

function outputShortfall(name: string, wanted: unknown, output: Said['output']): readonly string[] {
  if (!output) return [`"${name}" can't be read`]
  const value = Object.hasOwn(output, name) ? output[name] : undefined
  return isDeepStrictEqual(value, wanted)
    ? []
    : [`"${name}" is ${JSON.stringify(value)}, not ${JSON.stringify(wanted)}`]
}

function jsonSchema(schema: Record<string, unknown>): z.ZodType {
  return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
}

function schemaShortfall(schema: Record<string, unknown>, text: string): readonly string[] {
  try {
    const issue = jsonSchema(schema).safeParse(JSON.parse(text)).error?.issues[0]
    return issue ? [`doesn't fit the schema at "${issue.path.join('.')}": ${issue.message}`] : []
  } catch {
    return ['is no JSON']
  }
}
