import { createHash } from 'node:crypto'

/**
 * SHA-256 of the chat template that a GGUF is served with, or nothing for a model without one. A LoRA that was trained
 * with another one would meet prompts that it has never seen.
 *
 * @throws HoneError MODEL_FILE, ENGINE_MISSING
 * @example await openRegistry(folder, { templateSha256: await templateSha256('starter.gguf') })
 */
export async function templateSha256(path: string): Promise<string | undefined> {
  // Imported here, because it brings node-llama-cpp in, and the parent process otherwise needs none of it.
  const { readGguf } = await import('./check.ts')
  const template = (await readGguf(path)).metadata.tokenizer?.chat_template
  return template === undefined ? undefined : createHash('sha256').update(template).digest('hex')
}
