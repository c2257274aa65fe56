import type { KnowledgeDocument } from '../../src/ports/knowledge.ts'

/** What a format's reader makes of a file's bytes. */
export interface Parsed {
  /** The title that the content itself gives, if it gives one. */
  readonly title?: string
  readonly text: string
  readonly format: KnowledgeDocument['format']
}

/** The formats that can be read. */
export type Format = 'markdown' | 'text' | 'html' | 'pdf' | 'docx' | 'csv'

const endings: Readonly<Record<string, Format>> = {
  md: 'markdown',
  markdown: 'markdown',
  mdx: 'markdown',
  htm: 'html',
  html: 'html',
  xhtml: 'html',
  pdf: 'pdf',
  docx: 'docx',
  csv: 'csv',
  tsv: 'csv',
}

const contentTypes: Readonly<Record<string, Format>> = {
  'text/markdown': 'markdown',
  'text/x-markdown': 'markdown',
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
}

/** The format that a file name's ending stands for; a name that says nothing is tried as plain text. */
export function formatOfName(name: string): Format {
  return endings[/\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''] ?? 'text'
}

/** The format of a page on the web: its content type, or its address where the server only says `text/plain`. */
export function formatOfPage(contentType: string, address: string): Format | undefined {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  if (contentTypes[type]) return contentTypes[type]
  const byName = formatOfName(new URL(address).pathname)
  if (type.startsWith('text/')) return byName === 'pdf' || byName === 'docx' ? undefined : byName
  return type === '' || type === 'application/octet-stream' ? byName : undefined
}

/** Markdown under its title as the first heading, so that the title counts as part of what the page says. */
export function headed(title: string | undefined, text: string): Parsed {
  if (!title || text.trim() === '') return { text, format: 'markdown' }
  const line = title.replace(/\s+/g, ' ')
  return { title: line, text: `# ${line}\n\n${text}`, format: 'markdown' }
}
