import type { JsonSchema } from '../ports/engine.ts'
import { grammatical } from '../prompt/schema.ts'

/** Arguments as a form that a grammar can hold a model to. */
export interface Arguments {
  readonly form: JsonSchema
  /** The arguments that a filled-in form stands for: what was left empty is left out. */
  read(filled: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>
}

/** Words that only narrow what a type holds; the tool itself checks its arguments by them. */
const narrowing = ['pattern', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'uniqueItems']
const ignored = [...narrowing, 'contentEncoding', 'id', '$id', 'deprecated', 'readOnly', 'writeOnly', 'nullable']
const dates = ['date', 'time', 'date-time']

/**
 * The form for a tool's arguments. Tools have schemas of every kind: what narrows a type is left to the tool, and an
 * argument that may be missing may be null in the form.
 *
 * @throws Inexpressible for what no grammar can express: `allOf`, `$ref`, properties of any name
 * @example argumentsOf({ type: 'object', properties: { id: { type: 'string', pattern: '^T' } } }).form
 */
export function argumentsOf(schema: JsonSchema): Arguments {
  const required: readonly unknown[] = Array.isArray(schema.required) ? schema.required : []
  return {
    form: grammatical({ ...loose({ type: 'object', ...schema }), description: undefined }),
    read(filled) {
      const given = Object.entries(filled).filter(([name, value]) => value !== null || required.includes(name))
      return Object.fromEntries(given)
    },
  }
}

function loose(schema: JsonSchema): JsonSchema {
  const { anyOf, oneOf = anyOf, properties, items, additionalProperties, ...rest } = schema
  const kept = Object.entries(rest).filter(([word]) => !ignored.includes(word) && word !== 'required')
  const plain = Object.fromEntries(kept)
  if (typeof plain['format'] === 'string' && !dates.includes(plain['format'])) delete plain['format']
  if (plain['format'] !== undefined) for (const word of ['minLength', 'maxLength']) delete plain[word]
  return {
    ...plain,
    ...(Array.isArray(oneOf) ? { oneOf: oneOf.map(loose) } : {}),
    ...(items === undefined ? {} : { items: loose(items as JsonSchema) }),
    ...(properties === undefined ? {} : { properties: looseProperties(schema) }),
    ...(typeof additionalProperties === 'object' ? { additionalProperties } : {}),
  }
}

function looseProperties({ properties, required }: JsonSchema): JsonSchema {
  const needed: readonly unknown[] = Array.isArray(required) ? required : []
  const each = Object.entries(properties as Record<string, JsonSchema>).map(([name, one]) => {
    const { description, ...form } = loose(one)
    const note = description === undefined ? {} : { description }
    return [name, { ...note, ...(needed.includes(name) ? form : { oneOf: [form, { type: 'null' }] }) }]
  })
  return Object.fromEntries(each)
}
