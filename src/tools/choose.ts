import { fillForm } from '../forms.ts'
import type { ChatMessage, Engine, GenerateOptions } from '../ports/engine.ts'
import { fieldLine, formOf } from '../prompt/output.ts'
import { longestTokens } from '../prompt/schema.ts'
import { oneLine } from '../prompt/value.ts'
import type { Offer } from './toolbox.ts'

/** A tool that the model wants, with the arguments for it. */
export interface Wanted {
  readonly offer: Offer
  readonly given: Readonly<Record<string, unknown>>
}

type Options = Pick<GenerateOptions, 'signal' | 'cacheKey'>
const none = 'none'

/**
 * Lets the model choose a tool before it answers, or none: first the name, then the arguments, each held by a grammar to
 * what is offered. What isn't offered can't be chosen.
 *
 * @throws HoneError ENGINE_FAILED, CANCELLED
 */
export async function choose(
  prompt: readonly ChatMessage[],
  offers: readonly Offer[],
  engine: Engine,
  options: Options,
): Promise<Wanted | undefined> {
  const names = formOf({ tool: { enum: [none, ...offers.map(({ tool }) => tool.name)] } })
  const asked = withRequest(prompt, toolRequest(offers))
  const { tool: name } = await fillForm(engine, asked, names, options)
  const offer = offers.find(({ tool }) => tool.name === name)
  if (!offer) return undefined
  const fields = fieldsOf(offer)
  if (fields.length === 0) return { offer, given: {} }
  const chosen: ChatMessage = { role: 'assistant', content: JSON.stringify({ tool: name }) }
  const request = ['Fill in what it needs, as JSON and nothing else:', ...fields].join('\n')
  const filled = await fillForm(engine, [...asked, chosen, { role: 'user', content: request }], offer.form, options)
  return { offer, given: offer.read(filled) }
}

/** The request is the end of the person's turn: templates want people and model to take turns. */
function withRequest(prompt: readonly ChatMessage[], request: string): readonly ChatMessage[] {
  const last = prompt.at(-1)
  return last ? [...prompt.slice(0, -1), { ...last, content: `${last.content}\n\n${request}` }] : prompt
}

function toolRequest(offers: readonly Offer[]): string {
  const lines = offers.map(({ tool, rule }) => `- ${tool.name}: ${oneLine(rule.description ?? tool.description)}`)
  return [
    'Before you answer, choose the tool that is needed, as JSON and nothing else:',
    `- ${none}: you can answer without one`,
    ...lines,
  ].join('\n')
}

function fieldsOf({ form }: Offer): readonly string[] {
  return Object.entries(form.properties as Record<string, Offer['form']>).map(([key, one]) => fieldLine(key, one))
}

/** Tokens that choosing takes at most, beside the prompt. */
export function toolRoom(offers: readonly Offer[]): number {
  if (offers.length === 0) return 0
  const largest = Math.max(...offers.map((one) => fieldsOf(one).join('\n').length / 3 + 2 * longestTokens(one.form)))
  return Math.ceil(toolRequest(offers).length / 3 + largest) + 64
}
