/** A tokenizer whose tokens are words, with a chat template, for servers that are no real ones. */
export interface Vocabulary {
  cut(text: string): readonly string[]
  text(text: string, start: boolean): readonly number[]
  /** `open` ends where a reply begins, `closed` after the last message, `continued` inside it. */
  chat(messages: readonly Message[], end: 'open' | 'closed' | 'continued'): readonly number[]
  /** Two texts with the same words have the same vector; its length is not one. */
  vector(text: string): readonly number[]
}

interface Message {
  readonly role: string
  readonly content: string
}

export function vocabulary(): Vocabulary {
  const ids = new Map<string, number>(['<s>', '<end>', '\n', '<system>', '<user>', '<assistant>'].map((t, i) => [t, i]))
  const id = (token: string): number => {
    const known = ids.get(token) ?? ids.size
    ids.set(token, known)
    return known
  }
  const cut = (text: string): readonly string[] => text.match(/\s*\S+/g) ?? []
  return {
    cut,
    text: (text, start) => [...(start ? [id('<s>')] : []), ...cut(text).map(id)],
    chat(messages, end) {
      const all = messages.flatMap(({ role, content }) => [`<${role}>`, ...cut(content), '<end>', '\n'])
      const tokens = end === 'open' ? [...all, '<assistant>'] : end === 'closed' ? all : all.slice(0, -2)
      return tokens.map(id)
    },
    vector(text) {
      const values = new Array<number>(8).fill(0)
      for (const word of cut(text)) {
        const at = [...word.trim()].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 8
        values[at] = (values[at] ?? 0) + 2
      }
      return values
    },
  }
}
