/**
 * A reader of server-sent events that takes text as it arrives, cut anywhere, and answers the events that are complete.
 * Comments (keep-alive pings), `event:`, `id:` and `retry:` lines are left out: chat servers say everything in `data:`.
 * Format: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 *
 * @example
 * const events = sse()
 * events.push('data: {"a":')  // []
 * events.push('1}\n\n')       // ['{"a":1}']
 * events.end()                // what came without its closing blank line
 */
export interface SseReader {
  push(text: string): readonly string[]
  end(): readonly string[]
}

/** Makes a reader for one stream. */
export function sse(): SseReader {
  let rest = ''
  let data: string[] = []
  let first = true

  function dispatch(): readonly string[] {
    const event = data.join('\n')
    const any = data.length > 0
    data = []
    return any ? [event] : []
  }

  function line(text: string): readonly string[] {
    if (text === '') return dispatch()
    if (text.startsWith('data:')) data.push(text.slice(text[5] === ' ' ? 6 : 5))
    else if (text === 'data') data.push('')
    return []
  }

  return {
    push(text) {
      rest += first && text.startsWith('\uFEFF') ? text.slice(1) : text
      if (text !== '') first = false
      const events: string[] = []
      for (let cut = lineEnd(rest); cut; cut = lineEnd(rest)) {
        events.push(...line(rest.slice(0, cut.at)))
        rest = rest.slice(cut.at + cut.length)
      }
      return events
    },
    end() {
      const last = rest.replace(/\r$/, '')
      rest = ''
      return [...(last === '' ? [] : line(last)), ...dispatch()]
    },
  }
}

/** A `\r` at the very end may be half of a `\r\n`, so it waits for more text. */
function lineEnd(text: string): { readonly at: number; readonly length: number } | undefined {
  const at = text.search(/[\r\n]/)
  if (at < 0 || (text[at] === '\r' && at === text.length - 1)) return undefined
  return { at, length: text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1 }
}
