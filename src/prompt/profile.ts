import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { asHoneError, HoneError } from '../errors.ts'

const variable = z.strictObject({
  default: z.string(),
  description: z.string().optional(),
})

const frontMatter = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'use lower-case letters, digits and hyphens'),
  /** Hidden prompts: rules put before the person's text, one a line. */
  hidden: z.array(z.string()).default([]),
  examples: z.array(z.strictObject({ question: z.string(), answer: z.string() })).default([]),
  variables: z.record(z.string().regex(/^[a-z][\w.]*$/i), variable).default({}),
  passages: z.number().int().min(0).max(20).default(3),
  sampling: z
    .strictObject({
      temperature: z.number().min(0).max(2).default(0.7),
      topP: z.number().gt(0).max(1).default(0.95),
      maxTokens: z.number().int().min(1).max(8192).default(256),
    })
    .prefault({}),
  starters: z.array(z.string()).default([]),
})

/** What shapes a reply without touching weights. `version` is a hash of the file's text. */
export interface Profile extends z.infer<typeof frontMatter> {
  readonly version: string
  /** The Markdown body: who the bot is and how it speaks. May use `{{variables}}`. */
  readonly persona: string
  /** The file's text, kept in the store under `version`. */
  readonly source: string
}

/**
 * Parses a profile: YAML front matter between `---` lines, then the persona.
 *
 * @throws HoneError CONFIG naming the file, the line where YAML is broken, or the key that is wrong.
 * @example parseProfile('---\nname: desk\n---\nYou are the front desk.', 'desk.md').persona
 */
export function parseProfile(source: string, file: string): Profile {
  const parts = /^---\r?\n([\s\S]*?)\r?\n---(?:\r?\n([\s\S]*))?$/.exec(source)
  if (!parts)
    throw new HoneError('CONFIG', `${file} is no profile: it must start with front matter between two lines of ---.`)
  const document = parseDocument(parts[1] ?? '')
  const broken = document.errors[0]
  if (broken) {
    const line = (broken.linePos?.[0].line ?? 0) + 1
    throw new HoneError('CONFIG', `${file}, line ${line}: ${broken.message.split('\n')[0]}`)
  }
  const checked = frontMatter.safeParse(document.toJS() ?? {})
  if (!checked.success) {
    const issue = checked.error.issues[0]
    throw new HoneError('CONFIG', `${file}, key "${issue?.path.join('.') || 'front matter'}": ${issue?.message}.`)
  }
  const profile = { ...checked.data, persona: (parts[2] ?? '').trim(), source, version: profileVersion(source) }
  refuseUnknownVariables(profile, file)
  return profile
}

/** Reads and parses a profile file. */
export async function readProfile(file: string): Promise<Profile> {
  const source = await readFile(file, 'utf8').catch((error: unknown) => {
    throw asHoneError(error, 'CONFIG', `The profile ${file} can't be read`)
  })
  return parseProfile(source, file)
}

/** Names that every turn knows without being declared. */
export const builtInVariables = ['person.name', 'today'] as const

function refuseUnknownVariables(profile: Profile, file: string): void {
  const known = new Set<string>([...builtInVariables, ...Object.keys(profile.variables)])
  const texts = [profile.persona, ...profile.hidden, ...profile.examples.flatMap((e) => [e.question, e.answer])]
  for (const [, name] of texts.join('\n').matchAll(placeholder)) {
    if (!known.has(name as string)) {
      throw new HoneError(
        'CONFIG',
        `${file} uses {{${name}}}, which is not under "variables". Declare it with a default.`,
      )
    }
  }
}

export const placeholder = /\{\{\s*([\w.]+)\s*\}\}/g

function profileVersion(source: string): string {
  return createHash('sha256').update(source).digest('hex').slice(0, 12)
}
