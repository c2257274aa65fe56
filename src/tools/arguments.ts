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
  return {
    form: grammatical({ ...loose({ type: 'object', ...schema }), description: undefined }),
    read: (filled) => given(filled, schema) as Readonly<Record<string, unknown>>,
  }
}

/** The value without what may be missing and was left empty, at every depth. */
function given(value: unknown, { properties = {}, items, required, anyOf, oneOf = anyOf }: JsonSchema): unknown {
  if (typeof value !== 'object' || value === null) return value
  // Of several forms, the one that knows all that is there.
  const forms = (Array.isArray(oneOf) ? oneOf : []) as readonly JsonSchema[]
  const knows = ({ properties: has = {}, items: each }: JsonSchema) =>
    Array.isArray(value) ? each !== undefined : Object.keys(value).every((name) => Object.hasOwn(has as object, name))
  const form = forms.find(knows)
  if (form) return given(value, form)
  if (Array.isArray(value)) return value.map((one) => given(one, (items ?? {}) as JsonSchema))
  const needed: readonly unknown[] = Array.isArray(required) ? required : []
  const known = properties as Readonly<Record<string, JsonSchema>>
  const kept = Object.entries(value).filter(([name, one]) => one !== null || needed.includes(name) || !known[name])
  return Object.fromEntries(kept.map(([name, one]) => [name, given(one, known[name] ?? {})]))
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
