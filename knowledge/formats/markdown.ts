import { parse } from 'yaml'
import { sections } from '../blocks.ts'
import type { Parsed } from './parsed.ts'
import { decode } from './text.ts'

/** Markdown: front matter is taken off; its title, else the first heading of the first level, is the page's. */
export function readMarkdown(bytes: Uint8Array, charset?: string): Parsed {
  const whole = decode(bytes, charset).replace(/\r\n?/g, '\n')
  const front = /^---\n([\s\S]*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)/.exec(whole)
  const text = front ? whole.slice(front[0].length) : whole
  const title = titleOf(front?.[1] ?? '') ?? sections(text).find((one) => one.headings.length > 0)?.headings[0]
  return { text, format: 'markdown', ...(title && { title }) }
}

/** Front matter that can't be read gives no title; the page is good without. */
function titleOf(front: string): string | undefined {
  try {
    const fields: unknown = parse(front, { maxAliasCount: 10 })
    const title = typeof fields === 'object' && fields !== null && 'title' in fields ? fields.title : undefined
    return typeof title === 'string' && title.trim() ? title.trim() : undefined
  } catch {
    return undefined
  }
}
