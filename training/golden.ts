import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { asHoneError, HoneError } from '../src/errors.ts'
import type { Golden } from './measure.ts'

const message = z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })

const row = z
  .strictObject({
    prompt: z.union([z.string().min(1), z.array(message).min(1)]),
    contains: z.union([z.string(), z.array(z.string())]).optional(),
    declines: z.boolean().optional(),
  })
  .refine(({ contains, declines }) => (contains === undefined) !== (declines !== true), {
    message: 'needs either "contains" or "declines": true',
  })

/**
 * Reads an operator's golden questions, one JSON object a line: `prompt` (a question, or messages), and either
 * `contains` (what a right answer holds) or `declines: true` (a right answer says that it doesn't know).
 *
 * @throws HoneError INPUT naming the file and the line.
 * @example parseGolden('{"prompt": "Who runs the desk?", "contains": "Miriam"}', 'golden.jsonl')
 */
export function parseGolden(text: string, file: string): readonly Golden[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === '') return []
    const parsed = row.safeParse(jsonOf(line))
    if (parsed.success) return [goldenOf(parsed.data)]
    const issue = parsed.error.issues[0]
    throw new HoneError(
      'INPUT',
      `${file}, line ${index + 1}: ${issue?.path.join('.') || 'the row'}: ${issue?.message}.`,
    )
  })
}

/** Golden questions from a file; none when there is no such file. */
export async function readGolden(file: string): Promise<readonly Golden[]> {
  try {
    return parseGolden(await readFile(file, 'utf8'), file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw asHoneError(error, 'INPUT', `${file} can't be read`)
  }
}

function goldenOf({ prompt, contains, declines }: z.output<typeof row>): Golden {
  return {
    own: true,
    prompt: typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt,
    ...(contains === undefined ? {} : { contains: typeof contains === 'string' ? [contains] : contains }),
    ...(declines === undefined ? {} : { declines }),
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
