import { HoneError } from './errors.ts'
import type { ChatMessage, Engine, EngineSlot, GenerateOptions, JsonSchema } from './ports/engine.ts'
import type { Profile } from './prompt/profile.ts'
import { fits, longestTokens } from './prompt/schema.ts'

const trial = {
  type: 'object',
  properties: { word: { enum: ['larch'] } },
  required: ['word'],
  additionalProperties: false,
}

/**
 * Has a form filled in, at temperature 0, and makes sure that it was.
 *
 * @throws HoneError ENGINE_MISSING, ENGINE_FAILED, CANCELLED; none of them holds what was filled in
 */
export async function fillForm(
  engine: Engine,
  prompt: readonly ChatMessage[],
  form: JsonSchema,
  options: Pick<GenerateOptions, 'signal' | 'cacheKey'> = {},
): Promise<Readonly<Record<string, unknown>>> {
  if (!engine.fill) throw new HoneError('ENGINE_MISSING', 'This engine has no way to be held to a schema.')
  const { value } = await engine.fill(prompt, form, { ...options, temperature: 0, maxTokens: 2 * longestTokens(form) })
  if (!fits(form, value))
    throw new HoneError('ENGINE_FAILED', 'The engine took the schema and answered something else.')
  return value as Readonly<Record<string, unknown>>
}

/** Makes sure that the serving engine can do what a profile wants of it. */
export type CheckProfile = (profile: Profile) => Promise<void>

/**
 * Makes that check: a profile with output variables or tools needs an engine that a grammar holds to a schema. Once, it
 * is tried out: a server may take a schema and not heed it.
 *
 * @throws HoneError CONFIG (when checking) naming the profile and what would help
 * @example await createFormCheck(slot)(profile)
 */
export function createFormCheck(slot: EngineSlot): CheckProfile {
  let proven: Promise<void> | undefined
  return async function check({ name, output, tools }) {
    const wants = Object.keys(output).length > 0 ? 'output variables' : Object.keys(tools).length > 0 ? 'tools' : ''
    if (!wants) return
    proven ??= slot.use(prove)
    try {
      await proven
    } catch (error) {
      proven = undefined
      const why = error instanceof Error ? error.message : String(error)
      const help = 'Serve a GGUF in process, or use vLLM, llama-server, Ollama or LM Studio.'
      throw new HoneError(
        'CONFIG',
        `The profile ${name} has ${wants}, which need an engine that can be held to a schema: ${why} ${help}`,
        { cause: error },
      )
    }
  }
}

async function prove(engine: Engine): Promise<void> {
  await fillForm(engine, [{ role: 'user', content: 'Name any animal, as JSON: {"word": …}' }], trial)
}
