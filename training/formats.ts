import { z } from 'zod'
import { HoneError } from '../src/errors.ts'
import type { ChatMessage } from '../src/ports/engine.ts'

/** TRL's dataset formats: preference, unpaired preference, prompt-completion, and preference with implicit prompt. */
export const rowFormats = ['dpo', 'kto', 'sft', 'rm'] as const
export type RowFormat = (typeof rowFormats)[number]

/** What one row of any format says, without the format. */
export type FeedbackRow =
  | {
      readonly kind: 'preference'
      readonly prompt: readonly ChatMessage[]
      readonly chosen: string
      readonly rejected: string
    }
  | {
      readonly kind: 'rated'
      readonly prompt: readonly ChatMessage[]
      readonly completion: string
      readonly label: boolean
    }
  | { readonly kind: 'example'; readonly prompt: readonly ChatMessage[]; readonly completion: string }

const message = z.object({
  role: z.enum(['system', 'user', 'assistant'], 'is not system, user or assistant'),
  content: z.string('is no text'),
})
/** A conversation that waits for an answer; plain text is one question. */
const prompt = z
  .union([z.string(), z.array(message)], 'is neither a text nor a list of messages')
  .transform((given) => (typeof given === 'string' ? [{ role: 'user' as const, content: given }] : given))
  .refine((messages) => messages.at(-1)?.role === 'user', 'does not end with a user message')
/** One answer; plain text, or a list of one assistant message. */
const answer = z
  .union([z.string(), z.array(message)], 'is neither a text nor a list of messages')
  .refine(
    (given) => typeof given === 'string' || (given.length === 1 && given[0]?.role === 'assistant'),
    'is not one assistant message',
  )
  .transform((given) => (typeof given === 'string' ? given : (given[0]?.content ?? '')))
  .refine((text) => text.trim() !== '', 'is empty')
/** A whole conversation, its last message the answer. */
const conversation = z
  .array(message, 'is no list of messages')
  .refine(
    (messages) => messages.at(-1)?.role === 'assistant' && messages.at(-2)?.role === 'user',
    'does not end with a user message and its answer',
  )

/**
 * One schema a format, in the conversational form that we write and the plain-text form that others may have.
 * Source: https://huggingface.co/docs/trl/dataset_formats
 */
export const rowSchemas = {
  dpo: z
    .object({ prompt, chosen: answer, rejected: answer })
    .transform((row): FeedbackRow => ({ kind: 'preference', ...row })),
  kto: z
    .object({ prompt, completion: answer, label: z.boolean('is neither true nor false') })
    .transform((row): FeedbackRow => ({ kind: 'rated', ...row })),
  sft: z.object({ prompt, completion: answer }).transform((row): FeedbackRow => ({ kind: 'example', ...row })),
  rm: z
    .object({ chosen: conversation, rejected: conversation })
    .refine((row) => same(row.chosen.slice(0, -1), row.rejected.slice(0, -1)), {
      message: 'has another prompt than "chosen"',
      path: ['rejected'],
    })
    .transform(
      ({ chosen, rejected }): FeedbackRow => ({
        kind: 'preference',
        prompt: chosen.slice(0, -1),
        chosen: chosen.at(-1)?.content ?? '',
        rejected: rejected.at(-1)?.content ?? '',
      }),
    ),
} as const satisfies Record<RowFormat, z.ZodType<FeedbackRow>>

const same = (a: readonly ChatMessage[], b: readonly ChatMessage[]) => JSON.stringify(a) === JSON.stringify(b)

/**
 * Reads JSON lines, all or nothing; empty lines are skipped.
 *
 * @throws HoneError IMPORT naming the line and the field of the first error, and how many lines are wrong in all.
 * @example parseRows('{"prompt":"Hi","chosen":"Hello!","rejected":"What?"}', 'dpo')
 */
export function parseRows(text: string, format: RowFormat): readonly FeedbackRow[] {
  const rows: FeedbackRow[] = []
  const wrong: string[] = []
  text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .forEach((line, index) => {
      if (line.trim() === '') return
      const parsed = readLine(line, format)
      if (typeof parsed === 'string') wrong.push(`line ${index + 1}: ${parsed}`)
      else rows.push(parsed)
    })
  if (wrong.length === 0) return rows
  const more = wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : ''
  throw new HoneError('IMPORT', `${wrong[0]}${more}`, { fields: { wrong: wrong.length } })
}

/** The row, or what is wrong with it. */
function readLine(line: string, format: RowFormat): FeedbackRow | string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return 'is no JSON'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is no JSON object'
  const parsed = rowSchemas[format].safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const path = issue?.path ?? []
  const field = path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i ? `.${String(part)}` : part)).join('')
  const missing = path.length === 1 && !(String(path[0]) in value)
  return `"${field}" ${missing ? 'is missing' : (issue?.message ?? 'is wrong')}`
}

/**
 * Rows in TRL's conversational form. A preference is also two ratings and an example; a liked reply is also an example;
 * what a format can't say is left out.
 */
export function toRows(rows: readonly FeedbackRow[], format: RowFormat): readonly object[] {
  return rows.flatMap((row): readonly object[] => {
    const { prompt } = row
    switch (format) {
      case 'dpo':
        return row.kind === 'preference' ? [{ prompt, chosen: says(row.chosen), rejected: says(row.rejected) }] : []
      case 'rm':
        return row.kind === 'preference'
          ? [{ chosen: [...prompt, ...says(row.chosen)], rejected: [...prompt, ...says(row.rejected)] }]
          : []
      case 'kto':
        return ratings(row).map(([text, label]) => ({ prompt, completion: says(text), label }))
      case 'sft':
        return ratings(row).flatMap(([text, label]) => (label ? [{ prompt, completion: says(text) }] : []))
      default:
        return format satisfies never
    }
  })
}

const says = (content: string): readonly ChatMessage[] => [{ role: 'assistant', content }]

function ratings(row: FeedbackRow): readonly (readonly [string, boolean])[] {
  if (row.kind === 'example') return [[row.completion, true]]
  if (row.kind === 'rated') return [[row.completion, row.label]]
  return [
    [row.chosen, true],
    [row.rejected, false],
  ]
}
