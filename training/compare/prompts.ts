import type { ChatMessage } from '../../src/ports/engine.ts'
import { instructed, instructions } from '../explain.ts'
import type { Material } from '../measure.ts'
import type { Pair } from '../pairs.ts'
import { messageParts } from '../text.ts'
import type { Layout } from './techniques.ts'

export type Prompt = readonly ChatMessage[]

/** The gate's material, with the whole pairs that it is made of. */
export interface PairMaterial extends Material {
  readonly pairs: readonly Pair[]
  readonly questions: readonly Pair[]
}

/** What of a prompt isn't to be seen from its text. */
export interface About {
  /** Messages that the profile's own examples take after the system message. */
  readonly exampleMessages: number
  /** Judged replies told as examples for this very question, as turns of a conversation. */
  readonly told: Prompt
}

/**
 * The prompt of a question as another technique would put it: the same question, passages and values, with some of it
 * taken away or added.
 *
 * @example laidOut(prompt, { ...layout, passages: false }, { exampleMessages: 0, told: [] })
 */
export function laidOut(prompt: Prompt, layout: Layout, { exampleMessages, told }: About): Prompt {
  const system = prompt.filter(({ role }) => role === 'system')
  const rest = prompt.filter(({ role }) => role !== 'system')
  const opening = layout.profile ? [...system, ...rest.slice(0, exampleMessages)] : []
  const asked = rest.slice(exampleMessages).map((message) => reduced(message, layout))
  const examples = layout.examples ? told : []
  const whole = [...opening, ...asked.slice(0, -1), ...examples, ...asked.slice(-1)]
  return layout.explained ? instructed(whole, instructions[0] ?? '') : whole
}

/** A message without what the layout leaves out; what the model said earlier stays. */
function reduced(message: ChatMessage, { profile, passages }: Layout): ChatMessage {
  if (message.role !== 'user') return message
  const parts = messageParts(message.content)
  const documents = passages ? [parts.passages, parts.highlights] : []
  const kept = [...(profile ? [parts.told] : []), ...documents, parts.question, parts.behind]
  return { ...message, content: kept.filter(Boolean).join('\n\n') }
}

/** The same material with every prompt written anew; golden questions belong to no pair. */
export async function rewritten(
  material: PairMaterial,
  write: (prompt: Prompt, pair?: Pair) => Promise<Prompt>,
): Promise<PairMaterial> {
  const ofPair = async (pair: Pair): Promise<Pair> => ({ ...pair, prompt: await write(pair.prompt, pair) })
  return {
    ...material,
    pairs: await Promise.all(material.pairs.map(ofPair)),
    questions: await Promise.all(material.questions.map(ofPair)),
    golden: await Promise.all(
      material.golden.map(async (question) => ({ ...question, prompt: await write(question.prompt) })),
    ),
  }
}
