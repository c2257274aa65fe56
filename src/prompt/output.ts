import { z } from 'zod'
import type { JsonSchema } from '../ports/engine.ts'
import { grammatical, Inexpressible } from './schema.ts'

/** Output variables by name, each with its schema. */
export type OutputVariables = Readonly<Record<string, JsonSchema>>

const name = /^[a-z]\w*(\.\w+)*$/i
const mostVariables = 16
const variable = z
  .strictObject({
    type: z.enum(['text', 'number', 'boolean', 'date']).default('text'),
    choices: z.array(z.string().min(1).max(100)).min(1).optional(),
    /** What decides the value; the model reads it. */
    description: z.string().min(1).optional(),
  })
  .refine(({ type, choices }) => !choices || type === 'text', 'only a variable of type text has "choices"')
const types = {
  text: { type: 'string', maxLength: 200 },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  date: { type: 'string', format: 'date' },
} as const

/**
 * The key `output` of a profile: a small table of variables like those that go in, or a JSON Schema of type object.
 *
 * @example outputKey.parse({ escalate: { type: 'boolean' } }) // { escalate: { type: 'boolean' } }
 */
export const outputKey = z.record(z.string(), z.unknown()).transform((given, context): OutputVariables => {
  const refuse = (message: string, path: readonly PropertyKey[]) => {
    context.addIssue({ code: 'custom', message, path: [...path] })
    return z.NEVER
  }
  try {
    const isSchema = typeof given.type === 'string'
    const variables = isSchema ? schemaOf(given) : tableOf(given)
    const within = isSchema ? ['properties'] : []
    const wrong = Object.keys(variables).find((one) => !name.test(one))
    if (wrong !== undefined) return refuse('use letters, digits, _ and dots', [...within, wrong])
    const count = Object.keys(variables).length
    return count > 0 && count <= mostVariables ? variables : refuse(`declare 1 to ${mostVariables} variables`, within)
  } catch (error) {
    if (error instanceof Inexpressible) return refuse(error.message, error.path)
    throw error
  }
})

function schemaOf(given: JsonSchema): OutputVariables {
  if (given.type !== 'object') throw new Inexpressible('a JSON Schema of output variables is of type object', ['type'])
  return grammatical(given).properties as OutputVariables
}

function tableOf(given: Readonly<Record<string, unknown>>): OutputVariables {
  return Object.fromEntries(Object.entries(given).map(([key, one]) => [key, variableOf(one, key)]))
}

function variableOf(given: unknown, key: string): JsonSchema {
  const checked = variable.safeParse(given)
  if (checked.success) {
    const { type, choices, description } = checked.data
    return { ...(description ? { description } : {}), ...(choices ? { enum: choices } : types[type]) }
  }
  const issue = checked.error.issues[0] as z.core.$ZodIssue
  const word = issue.code === 'unrecognized_keys' ? (issue.keys[0] ?? '') : undefined
  throw new Inexpressible(word ? 'it is not known' : issue.message, [key, ...issue.path, ...(word ? [word] : [])])
}

/** The form that a model fills in for some variables. */
export function formOf(variables: OutputVariables): JsonSchema {
  return { type: 'object', properties: variables, required: Object.keys(variables), additionalProperties: false }
}

/**
 * What a model is asked after its reply. It stands behind everything that a thread keeps, so the next prompt doesn't hold it.
 *
 * @example askFor({ escalate: { type: 'boolean', description: 'a person must take over' } })
 */
export function askFor(variables: OutputVariables): string {
  const lines = Object.entries(variables).map(([key, schema]) => fieldLine(key, schema))
  return ['Fill in this form about the conversation, as JSON and nothing else:', ...lines].join('\n')
}

/** One field of a form in words: its name, what decides it, and what may stand there. */
export function fieldLine(key: string, { description, ...schema }: JsonSchema): string {
  return `- ${key}: ${kindOf(schema)}${description ? ` (${description})` : ''}`
}

function kindOf(schema: JsonSchema): string {
  const { enum: choices, type, format } = schema
  if (Array.isArray(choices)) return choices.map((one) => JSON.stringify(one)).join(' or ')
  if (type === 'boolean') return 'true or false'
  if (type === 'string') return format === undefined ? 'a text' : `a text of the format ${format}`
  if (type === 'number' || type === 'integer') return 'a number'
  return `JSON that fits ${JSON.stringify(schema)}`
}
