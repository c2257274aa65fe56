import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { HoneError } from '../src/errors.ts'
import type { GateCheck } from '../src/ports/learning.ts'
import { methods } from '../src/ports/trainer.ts'

// JSON has no NaN: a number that was none comes back as null.
const number = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN)

const check = z
  .object({
    id: z.string(),
    what: z.string(),
    value: number,
    limit: z.string(),
    pass: z.boolean(),
    n: z.number(),
    interval: z.tuple([number, number]).optional(),
    onFail: z.literal('hold').optional(),
  })
  .transform(
    ({ interval, onFail, ...rest }): GateCheck => ({
      ...rest,
      ...(interval && { interval }),
      ...(onFail && { onFail }),
    }),
  )

const schema = z.object({
  format: z.literal(1),
  id: z.string().regex(/^v[1-9]\d*$/),
  createdAt: z.string(),
  job: z.string(),
  /** SHA-256 of the GGUF it was trained for, or of a server's model name. */
  base: z.object({ path: z.string(), sha256: z.string() }),
  lora: z.object({ file: z.literal('lora.gguf'), sha256: z.string(), bytes: z.number() }).optional(),
  /** In place of a LoRA where every weight was trained; `pruned` once its files were removed to save space. */
  model: z
    .object({
      file: z.literal('model.gguf'),
      sha256: z.string(),
      bytes: z.number(),
      pruned: z.literal(true).optional(),
    })
    .optional(),
  /** SHA-256 of the chat template it was trained with. */
  templateSha256: z.string(),
  dataset: z.object({ path: z.string(), hash: z.string(), shuffledLabels: z.boolean() }),
  profile: z.string().optional(),
  /** The tenant on whose feedback alone it was trained; absent for the operator's own. */
  tenant: z.string().optional(),
  /** It learned from tenants together: where they learn apart, it serves nobody. */
  pooled: z.literal(true).optional(),
  method: z.enum(methods),
  seed: z.number(),
  hyper: z.record(z.string(), z.union([z.number(), z.string()])),
  pairs: z.array(
    z.object({
      origin: z.enum(['votes', 'correction', 'duel', 'import']),
      chosen: z.string(),
      rejected: z.string(),
      people: z.array(z.string()),
    }),
  ),
  /** Somebody whose feedback it learned from was forgotten since; `pairs` names them no more. */
  forgotten: z.literal(true).optional(),
  gate: z.object({ verdict: z.enum(['promote', 'hold', 'refuse']), checks: z.array(check) }),
  /** Log-probability of a plain text with and without the LoRA: the proof, before serving, that it is live. */
  probe: z.object({ text: z.string(), base: z.number(), candidate: z.number() }).optional(),
})

/** `manifest.json` of a version: written last; a version without it does not exist. */
export type VersionManifest = z.output<typeof schema>

/** File name of the manifest in a version's folder. */
export const manifestName = 'manifest.json'

/** Reads a version's manifest, or nothing where there is none or only a broken one. */
export async function readManifest(folder: string): Promise<VersionManifest | undefined> {
  const text = await readFile(join(folder, manifestName), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** The manifest as it is written. @throws HoneError STORE when a field is missing: then nothing must be published. */
export function manifestText(manifest: VersionManifest): string {
  const text = JSON.stringify(manifest, undefined, 2)
  const checked = schema.safeParse(JSON.parse(text))
  if (!checked.success) {
    throw new HoneError(
      'STORE',
      `The manifest of ${manifest.id} is incomplete: ${checked.error.issues[0]?.path.join('.')}.`,
    )
  }
  return `${text}\n`
}
