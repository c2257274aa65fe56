import { Template } from '@huggingface/jinja'
import { HoneError } from '../../errors.ts'
import type { ChatMessage } from '../../ports/engine.ts'

/** What rendering needs of a model's vocabulary. */
export interface Vocabulary {
  /** Jinja source from the GGUF, `tokenizer.chat_template`. */
  readonly template: string | undefined
  readonly bos: string
  readonly eos: string
  /** Texts that the tokenizer turns into one special token. */
  readonly specials: ReadonlySet<string>
  /** Tokenises; special tokens are parsed. `trim`: no leading space that the tokenizer would add. */
  tokenize(text: string, trim: boolean): number[]
}

/** Renders dialogues to tokens with a model's own chat template. */
export interface Prompter {
  /** The tokens of a dialogue; `open` ends them where the assistant begins to speak. */
  prompt(messages: readonly ChatMessage[], open: boolean): number[]
  /** The tokens of a text in which nothing is special. */
  plain(text: string): number[]
}

/**
 * A prompter in which what people write stays data.
 *
 * A special token's text inside a message (say `<|im_end|>`) is cut in two by a private-use character before the
 * template is rendered, and the rendered text is split there before it is tokenised: the tokenizer never sees the
 * whole. All else is tokenised in one piece, exactly as `tokenizer.apply_chat_template` of Hugging Face does, so a
 * model is served the tokens that it was trained on.
 *
 * @throws HoneError MODEL_FILE for a model without a usable template, INPUT for a dialogue that it refuses.
 */
export function createPrompter(vocabulary: Vocabulary): Prompter {
  const { template, bos, eos, specials, tokenize } = vocabulary
  const cut = createCutter(specials)
  const compiled = template === undefined ? undefined : compile(template)
  const split = (text: string, mark: string) => text.split(mark).flatMap((part, index) => tokenize(part, index > 0))

  return {
    prompt(messages, open) {
      if (!compiled) throw new HoneError('MODEL_FILE', 'The model has no chat template, so it can’t hold a dialogue.')
      const mark = unused(messages.map((message) => message.content).join('') + template)
      const safe = messages.map(({ role, content }) => ({ role, content: cut(content, mark) }))
      return split(render(compiled, safe, { bos_token: bos, eos_token: eos, add_generation_prompt: open }), mark)
    },
    plain(text) {
      const mark = unused(text)
      return split(cut(text, mark), mark)
    },
  }
}

function compile(template: string): Template {
  try {
    return new Template(template)
  } catch (error) {
    throw new HoneError('MODEL_FILE', `The model’s chat template can’t be read: ${String(error)}`, { cause: error })
  }
}

/** Some templates refuse a system message, or two messages of one role in a row: those get them folded together. */
function render(template: Template, messages: readonly ChatMessage[], values: Record<string, unknown>): string {
  try {
    return template.render({ ...values, messages })
  } catch {
    try {
      return template.render({ ...values, messages: fold(messages) })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new HoneError('INPUT', `The model’s chat template refuses this dialogue: ${reason}`, { cause: error })
    }
  }
}

/** Makes system messages the beginning of the next user message and joins neighbours of one role. */
export function fold(messages: readonly ChatMessage[]): ChatMessage[] {
  const folded: { role: 'user' | 'assistant'; content: string }[] = []
  for (const { role, content } of messages) {
    const as = role === 'assistant' ? 'assistant' : 'user'
    const last = folded.at(-1)
    if (last?.role === as) last.content += `\n\n${content}`
    else folded.push({ role: as, content })
  }
  return folded
}

/** A private-use character that `text` doesn't hold. */
function unused(text: string): string {
  for (let code = 0xe000; code < 0xf8ff; code++) {
    const mark = String.fromCharCode(code)
    if (!text.includes(mark)) return mark
  }
  throw new HoneError('INPUT', 'The text holds every private-use character there is.')
}

/** Cuts each special token's text, overlapping ones too, after its first character. */
function createCutter(specials: ReadonlySet<string>): (text: string, mark: string) => string {
  const lengths = new Map<string, Set<number>>()
  for (const special of specials) {
    const first = special.charAt(0)
    lengths.set(first, (lengths.get(first) ?? new Set()).add(special.length))
  }
  return function cut(text, mark) {
    let result = ''
    let from = 0
    for (let at = 0; at < text.length; at++) {
      const candidates = lengths.get(text.charAt(at))
      if (!candidates || ![...candidates].some((length) => specials.has(text.slice(at, at + length)))) continue
      result += text.slice(from, at + 1) + mark
      from = at + 1
    }
    return result + text.slice(from)
  }
}
