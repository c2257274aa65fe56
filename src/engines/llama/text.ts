/** Longest character in UTF-8, in bytes, and so the most tokens that one character can be spread over. */
const longest = 4

/**
 * Turns tokens into text as they come, holding back a character until all of its bytes are there.
 *
 * @param detokenize the text of tokens, given the tokens before them; bytes that are no UTF-8 become U+FFFD
 */
export function createDecoder(
  detokenize: (tokens: readonly number[], before: readonly number[]) => string,
  before: readonly number[],
): { push(token: number): string } {
  let past = before.slice(-longest)
  let pending: number[] = []
  return {
    push(token) {
      pending.push(token)
      const text = detokenize(pending, past)
      if (text.endsWith('\uFFFD') && pending.length < longest) return ''
      past = [...past, ...pending].slice(-longest)
      pending = []
      return text
    },
  }
}
