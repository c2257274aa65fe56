import { z } from 'zod'
import { HoneError } from '../../errors.ts'
import type { ChatMessage } from '../../ports/engine.ts'
import type { Served } from './lora.ts'
import { neutral, neutralPrompt } from './neutral.ts'
import type { ServerFacts } from './probe.ts'
import { ask, type Server } from './server.ts'

/** Tokens as one server cuts them. */
export interface Tokens {
  /** A prompt as the server's chat template renders it, up to where a reply begins. */
  prompt(messages: readonly ChatMessage[], signal?: AbortSignal): Promise<readonly number[]>
  /** A text by itself; with `start`, the model's start-of-text token before it. */
  text(text: string, start: boolean, signal?: AbortSignal): Promise<readonly number[]>
  /** The token that ends a reply; absent when the template has none. */
  endOfTurn(signal?: AbortSignal): Promise<number | undefined>
}

const tokensOf = z.object({ tokens: z.array(z.number().int()) })
const rendered = z.object({ prompt: z.string() })

/** The tokenizer of a server that shows it: vLLM and llama-server. */
export function tokens(server: Server, facts: ServerFacts, served: Served): Tokens | undefined {
  if (facts.kind === 'vllm') return vllmTokens(server, served)
  if (facts.kind === 'llama-server') return llamaTokens(server, facts)
  return undefined
}

/** Reads an answer of known shape. @throws HoneError ENGINE_FAILED for another. */
export function expect<T>(shape: z.ZodType<T>, answer: unknown, what: string): T {
  const parsed = shape.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new HoneError('ENGINE_FAILED', `The server's answer to ${what} has an unknown form.`, { cause: parsed.error })
}

const asked = { role: 'user', content: 'x' } as const
const answered = { role: 'assistant', content: 'ok' } as const

function vllmTokens(server: Server, { model }: Served): Tokens {
  async function cut(body: object, signal?: AbortSignal): Promise<readonly number[]> {
    const answer = await ask(server, { to: `${server.root}/tokenize`, body: { model, ...body } }, signal)
    return expect(tokensOf, answer, '/tokenize').tokens
  }
  return {
    prompt: (messages, signal) => cut({ messages: neutralPrompt(messages), add_generation_prompt: true }, signal),
    text: (text, start, signal) => cut({ prompt: neutral(text), add_special_tokens: start }, signal),
    async endOfTurn(signal) {
      const messages = [asked, answered]
      const open = await cut({ messages, add_generation_prompt: false, continue_final_message: true }, signal)
      const closed = await cut({ messages, add_generation_prompt: false }, signal)
      return closed[open.length]
    },
  }
}

function llamaTokens(server: Server, { special }: ServerFacts): Tokens {
  async function cut(content: string, options: object, signal?: AbortSignal): Promise<readonly number[]> {
    const answer = await ask(server, { to: `${server.root}/tokenize`, body: { content, ...options } }, signal)
    return expect(tokensOf, answer, '/tokenize').tokens
  }
  async function render(messages: readonly object[], signal?: AbortSignal): Promise<string> {
    const answer = await ask(server, { to: `${server.root}/apply-template`, body: { messages } }, signal)
    return expect(rendered, answer, '/apply-template').prompt
  }
  return {
    async prompt(messages, signal) {
      const text = await render(neutralPrompt(messages, special), signal)
      return cut(text, { add_special: true, parse_special: true }, signal)
    },
    text: (text, start, signal) => cut(text, { add_special: start, parse_special: false }, signal),
    async endOfTurn(signal) {
      const before = await render([asked], signal)
      const whole = await render([asked, answered, asked], signal)
      const at = whole.indexOf(answered.content, before.length)
      if (at < 0) return undefined
      const tail = whole.slice(at + answered.content.length)
      return (await cut(tail, { add_special: false, parse_special: true }, signal))[0]
    },
  }
}
