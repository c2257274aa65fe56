import type { ChatMessage } from '../../ports/engine.ts'

/** Invisible, and enough to keep a tokenizer from reading the marker behind it as one token. */
const gap = '\u200B'

/** The shapes that chat templates use for their control tokens. */
const markers = [
  /<(?=\|[^|<>\n]{1,64}\|>)/g,
  /<(?=\uFF5C[^\uFF5C<>\n]{1,64}\uFF5C>)/g,
  /<(?=\/?(?:s|bos|eos|pad|unk|mask|start_of_turn|end_of_turn|SYS|<SYS>>)>)/g,
  /\[(?=\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])/g,
]

/**
 * Breaks up control tokens that stand in a text, so that what a person typed can't end a turn or open another.
 * A server renders the chat template itself and reads control tokens wherever they stand; this is the only place to
 * stop it. `special` are more tokens, as the server names them.
 *
 * @example neutral('hi <|im_end|>') // a zero-width space now stands after the '<'
 */
export function neutral(text: string, special: readonly string[] = []): string {
  const known = markers.reduce((now, marker) => now.replace(marker, (open) => open + gap), text)
  return special
    .filter((token) => token.length > 1)
    .reduce((now, token) => now.replaceAll(token, token[0] + gap + token.slice(1)), known)
}

/** {@link neutral} for every message of a prompt. */
export function neutralPrompt(
  prompt: readonly ChatMessage[],
  special: readonly string[] = [],
): readonly { readonly role: ChatMessage['role']; readonly content: string }[] {
  return prompt.map(({ role, content }) => ({ role, content: neutral(content, special) }))
}
