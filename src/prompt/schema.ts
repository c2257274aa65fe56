import type { JsonSchema } from '../ports/engine.ts'

/** A schema that no grammar can hold a model to, and where in it. */
export class Inexpressible extends Error {
  readonly path: readonly PropertyKey[]

  constructor(message: string, path: readonly PropertyKey[]) {
    super(message)
    this.path = path
  }
}

const scalars = ['string', 'number', 'integer', 'boolean', 'null']
const formats = ['date', 'time', 'date-time']
/** What a text and a list have at most where the schema doesn't say: a form must come to an end. */
const fewCharacters = 200
const fewItems = 10
const most = { maxLength: 1000, maxItems: 50, properties: 32, choices: 100, depth: 5 }

const notes = ['description', 'title', '$schema', 'examples', 'default']
const known: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'format'],
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'minItems', 'maxItems'],
}

/**
 * A JSON Schema as every engine's grammar takes it: `type`, `enum`, `const`, `oneOf`; texts with `minLength`, `maxLength`
 * and the formats of dates; lists with `items`, `minItems` and `maxItems`; objects whose properties are all given.
 *
 * @throws Inexpressible saying what can't be held to, and where
 * @example grammatical({ type: 'string' }) // { type: 'string', maxLength: 200 }
 */
export function grammatical(given: unknown, path: readonly PropertyKey[] = []): JsonSchema {
  if (path.length > 2 * most.depth) throw new Inexpressible(`it is more than ${most.depth} levels deep`, path)
  const schema = tableOf(given, path)
  const note = typeof schema.description === 'string' ? { description: schema.description } : {}
  if (schema.const !== undefined) return { ...note, enum: choicesOf(schema, [schema.const], path) }
  if (schema.enum !== undefined) return { ...note, enum: choicesOf(schema, schema.enum, path) }
  if (schema.oneOf !== undefined) return { ...note, oneOf: branchesOf(schema, path) }
  const { type } = schema
  if (Array.isArray(type) && type.length > 0) {
    const each = type.map((one) => grammatical({ ...only(schema, one), type: one }, path))
    return { ...note, oneOf: each }
  }
  if (type === 'object') return { ...note, ...objectOf(schema, path) }
  if (type === 'array') return { ...note, ...arrayOf(schema, path) }
  if (typeof type !== 'string' || !scalars.includes(type))
    throw new Inexpressible('a type is missing: string, number, integer, boolean, null, object or array', path)
  refuseUnknown(schema, ['type', ...(known[type] ?? [])], path)
  return type === 'string' ? { ...note, ...textOf(schema, path) } : { ...note, type }
}

/** What of a schema concerns one of its types. */
function only(schema: JsonSchema, type: unknown): JsonSchema {
  const others = Object.entries(known).flatMap(([name, words]) => (name === type ? [] : words))
  return Object.fromEntries(Object.entries(schema).filter(([word]) => !others.includes(word)))
}

function tableOf(given: unknown, path: readonly PropertyKey[]): JsonSchema {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as JsonSchema
  throw new Inexpressible('a schema is a table', path)
}

function refuseUnknown(schema: JsonSchema, words: readonly string[], path: readonly PropertyKey[]): void {
  const found = Object.keys(schema).find((word) => !words.includes(word) && !notes.includes(word))
  if (found !== undefined) throw new Inexpressible(`a grammar can't express "${found}"`, [...path, found])
}

function choicesOf(schema: JsonSchema, given: unknown, path: readonly PropertyKey[]): readonly unknown[] {
  refuseUnknown(schema, ['type', 'enum', 'const'], path)
  const fine = (one: unknown) => one === null || ['string', 'number', 'boolean'].includes(typeof one)
  const choices: readonly unknown[] = Array.isArray(given) ? given : []
  if (choices.length > 0 && choices.length <= most.choices && choices.every(fine)) return choices
  throw new Inexpressible(`choices are 1 to ${most.choices} texts, numbers, true, false or null`, [...path, 'enum'])
}

function branchesOf(schema: JsonSchema, path: readonly PropertyKey[]): readonly JsonSchema[] {
  refuseUnknown(schema, ['oneOf'], path)
  const branches = schema.oneOf
  if (Array.isArray(branches) && branches.length > 0)
    return branches.map((one, index) => grammatical(one, [...path, 'oneOf', index]))
  throw new Inexpressible('"oneOf" is a list of schemas', [...path, 'oneOf'])
}

function objectOf(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema {
  refuseUnknown(schema, ['type', 'properties', 'required', 'additionalProperties'], path)
  if (schema.additionalProperties !== undefined && schema.additionalProperties !== false)
    throw new Inexpressible('a grammar names every property: leave it out', [...path, 'additionalProperties'])
  const at = [...path, 'properties']
  const given = Object.entries(tableOf(schema.properties ?? {}, at))
  if (given.length > most.properties) throw new Inexpressible(`there are more than ${most.properties}`, at)
  const properties = given.map(([name, one]) => [name, grammatical(one, [...at, name])] as const)
  const required = given.map(([name]) => name)
  return { type: 'object', properties: Object.fromEntries(properties), required, additionalProperties: false }
}

function arrayOf(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema {
  refuseUnknown(schema, ['type', 'items', 'minItems', 'maxItems'], path)
  const minItems = countOf(schema, 'minItems', 0, path)
  const maxItems = countOf(schema, 'maxItems', Math.max(minItems, fewItems), path)
  const items = grammatical(schema.items ?? {}, [...path, 'items'])
  return { type: 'array', items, ...(minItems > 0 ? { minItems } : {}), maxItems }
}

function textOf(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema {
  const { format } = schema
  if (format !== undefined) {
    if (!formats.includes(format as string))
      throw new Inexpressible(`a grammar knows the formats ${formats.join(', ')}`, [...path, 'format'])
    refuseUnknown(schema, ['type', 'format'], path)
    return { type: 'string', format }
  }
  const minLength = countOf(schema, 'minLength', 0, path)
  const maxLength = countOf(schema, 'maxLength', Math.max(minLength, fewCharacters), path)
  return { type: 'string', ...(minLength > 0 ? { minLength } : {}), maxLength }
}

function countOf(schema: JsonSchema, word: string, otherwise: number, path: readonly PropertyKey[]): number {
  const limit = word.endsWith('Items') ? most.maxItems : most.maxLength
  const count = schema[word] ?? otherwise
  if (Number.isInteger(count) && Number(count) >= 0 && Number(count) <= limit) return count as number
  throw new Inexpressible(`it must be a whole number from 0 to ${limit}`, [...path, word])
}

/** About how many tokens a filled-in schema takes at most, when a token holds two characters. */
export function longestTokens(schema: JsonSchema): number {
  return Math.ceil(longest(schema) / 2) + 8
}

function longest(schema: JsonSchema): number {
  const { enum: choices, oneOf, properties, items, maxItems, maxLength } = schema
  if (Array.isArray(choices)) return Math.max(...choices.map((one) => JSON.stringify(one).length))
  if (Array.isArray(oneOf)) return Math.max(...oneOf.map(longest))
  if (properties) {
    const each = Object.entries(properties as Record<string, JsonSchema>)
    return each.reduce((sum, [name, one]) => sum + name.length + 6 + longest(one), 2)
  }
  if (items) return 2 + Number(maxItems) * (longest(items as JsonSchema) + 2)
  return maxLength === undefined ? 34 : Number(maxLength) + 2
}

/**
 * Whether a value fits a schema that {@link grammatical} answered. A grammar makes it so; a server may have none.
 *
 * @example fits({ enum: ['a', 'b'] }, 'a') // true
 */
export function fits(schema: JsonSchema, value: unknown): boolean {
  const { enum: choices, oneOf, type, properties, items } = schema
  if (Array.isArray(choices)) return choices.includes(value)
  if (Array.isArray(oneOf)) return oneOf.some((one) => fits(one, value))
  if (type === 'object') {
    const each = Object.entries(properties as Record<string, JsonSchema>)
    if (typeof value !== 'object' || value === null || Object.keys(value).length !== each.length) return false
    return each.every(([name, one]) => Object.hasOwn(value, name) && fits(one, (value as JsonSchema)[name]))
  }
  if (type === 'array')
    return (
      Array.isArray(value) &&
      within(schema, 'Items', value.length) &&
      value.every((one) => fits(items as JsonSchema, one))
    )
  if (type === 'string')
    return typeof value === 'string' && (schema.format ? isDate(value) : within(schema, 'Length', [...value].length))
  if (type === 'integer') return Number.isSafeInteger(value)
  if (type === 'number') return Number.isFinite(value)
  return type === 'null' ? value === null : typeof value === 'boolean'
}

function within(schema: JsonSchema, what: 'Items' | 'Length', count: number): boolean {
  return count >= Number(schema[`min${what}`] ?? 0) && count <= Number(schema[`max${what}`])
}

/** A grammar lets 31 February through; a program that reads dates must not get it. */
function isDate(text: string): boolean {
  const [, day] = /^(\d{4}-\d\d-\d\d)/.exec(text) ?? []
  if (day === undefined) return /^\d\d:\d\d:\d\d/.test(text)
  const date = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day)
}
