import { asHoneError } from './errors.ts'
import { fillForm } from './forms.ts'
import type { Logger } from './log.ts'
import type { Inbound } from './ports/channel.ts'
import type { ChatMessage, Engine } from './ports/engine.ts'
import type { Output } from './ports/store.ts'
import { askFor, formOf, type OutputVariables } from './prompt/output.ts'
import { longestTokens } from './prompt/schema.ts'

interface Spoken {
  readonly event: Inbound
  readonly prompt: readonly ChatMessage[]
  readonly reply: string
  readonly output: OutputVariables
}

/**
 * Reads a reply into its profile's output variables: the conversation goes on by one message that asks for them, and a
 * grammar holds the model to their schema. All before that message is in the engine's cache already, and what comes next
 * in the thread is put behind the reply as if it had never been asked.
 *
 * @returns nothing where the profile has none; never throws, since the reply is there whatever comes of it
 */
export async function outputOf(
  { event, prompt, reply, output }: Spoken,
  engine: Engine,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
): Promise<Output | undefined> {
  if (Object.keys(output).length === 0) return undefined
  const form = formOf(output)
  const messages = [
    ...prompt,
    { role: 'assistant', content: reply },
    { role: 'user', content: askFor(output) },
  ] as const
  try {
    return { values: await fillForm(engine, messages, form, { signal, cacheKey: event.thread }) }
  } catch (error) {
    const failure = asHoneError(error, 'ENGINE_FAILED', 'The output variables could not be read')
    if (!signal.aborted) log.warn('output.failed', { error: failure, event: event.id })
    return { failed: failure.code }
  }
}

/** Tokens that reading a reply into its variables takes at most, beside prompt and reply. */
export function outputRoom(output: OutputVariables): number {
  if (Object.keys(output).length === 0) return 0
  return Math.ceil(askFor(output).length / 3) + 16 + longestTokens(formOf(output))
}
