/** A stretch of text that should not be torn: a paragraph, a list item, table rows, a line. */
export interface Block {
  readonly text: string
  /** What stands between the block before it and this one when both are in one passage. */
  readonly glue: string
  /** Repeated when a passage begins in the middle of it: the head of a table. */
  readonly head?: string
}

/** A stretch of a Markdown page under one heading. */
export interface Section {
  /** Headings from the page's own downwards, e.g. `['Parking', 'Exceptions']`. */
  readonly headings: readonly string[]
  readonly body: string
}

interface Heading {
  readonly level: number
  readonly text: string
}

const fence = /^ {0,3}(```+|~~~+)/

/**
 * Cuts Markdown at its headings (`#` and underlined ones), leaving code blocks alone.
 * A section's body has no heading in it; text above the first heading is a section without headings.
 */
export function sections(markdown: string): readonly Section[] {
  const found: { headings: Heading[]; lines: string[] }[] = [{ headings: [], lines: [] }]
  let open = ''
  for (const line of markdown.split('\n')) {
    const last = found.at(-1) as { headings: Heading[]; lines: string[] }
    const mark = fence.exec(line)?.[1]
    if (mark && !open) open = mark
    else if (mark && line.trim().startsWith(open)) open = ''
    const heading = open || mark ? undefined : readHeading(line, last.lines)
    if (!heading) last.lines.push(line)
    else {
      if (heading.underlines > 0) last.lines.splice(-heading.underlines)
      const above = last.headings.filter((one) => one.level < heading.level)
      found.push({ headings: [...above, heading], lines: [] })
    }
  }
  return found
    .map(({ headings, lines }) => ({ headings: headings.map((one) => one.text), body: trimLines(lines.join('\n')) }))
    .filter((section) => section.body !== '' || section.headings.length > 0)
}

/** A `# heading`, or a paragraph of one line that this line underlines with `===` or `---`. */
function readHeading(line: string, before: readonly string[]): (Heading & { underlines: number }) | undefined {
  // No heading is that long, and a pattern must not be led astray by a line of a million blanks.
  if (line.length > 500) return undefined
  const hashes = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/.exec(line)
  if (hashes?.[1]) return { level: hashes[1].length, text: plain(hashes[2] ?? ''), underlines: 0 }
  const rule = /^ {0,3}(=+|-{2,})[ \t]*$/.exec(line)?.[1]
  const above = before.at(-1)?.trim() ?? ''
  const alone = (before.at(-2) ?? '').trim() === ''
  if (!rule || !above || !alone || /^([-*+>|]|\d+[.)])/.test(above)) return undefined
  return { level: rule.startsWith('=') ? 1 : 2, text: plain(above), underlines: 1 }
}

/** A heading without Markdown's marks. */
function plain(text: string): string {
  return text
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*_`~]+/g, '')
    .trim()
}

/** Cuts a section's body into blocks at blank lines, and lists and tables at their items and rows when too long. */
export function blocks(body: string, limit: number): readonly Block[] {
  return paragraphs(body).flatMap((text) => {
    if (text.length <= limit || fence.test(text)) return [{ text, glue: '\n\n' }]
    const parts = isTable(text) ? rows(text) : isList(text) ? items(text) : lines(text)
    return parts.map((part, i) => (i === 0 ? { ...part, glue: '\n\n' } : part))
  })
}

/** Stretches between blank lines; a code block is one stretch whatever is in it. */
function paragraphs(body: string): readonly string[] {
  const found: string[][] = [[]]
  let open = ''
  for (const line of body.split('\n')) {
    const mark = fence.exec(line)?.[1]
    if (mark && !open) open = mark
    else if (mark && line.trim().startsWith(open)) open = ''
    if (line.trim() === '' && !open) found.push([])
    else found.at(-1)?.push(line)
  }
  return found.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'))
}

const itemStart = /^ {0,3}([-*+]|\d{1,9}[.)])[ \t]/
const isList = (text: string) => itemStart.test(text)
function isTable(text: string): boolean {
  const [names = '', rule = ''] = text.split('\n', 2)
  return names.includes('|') && rule.includes('-') && /^[ \t:|-]+$/.test(rule)
}

function items(text: string): readonly Block[] {
  const found: string[] = []
  for (const line of text.split('\n')) {
    if (itemStart.test(line) || found.length === 0) found.push(line)
    else found[found.length - 1] += `\n${line}`
  }
  return found.map((item) => ({ text: item, glue: '\n' }))
}

/** One block a row; each knows the table's head, so that a row can be read without the rows before it. */
function rows(text: string): readonly Block[] {
  const [names = '', rule = '', ...rest] = text.split('\n')
  const head = `${names}\n${rule}`
  return rest.map((row, i) => ({ text: i === 0 ? `${head}\n${row}` : row, glue: '\n', ...(i > 0 && { head }) }))
}

function lines(text: string): readonly Block[] {
  return text.split('\n').map((line) => ({ text: line, glue: '\n' }))
}

function trimLines(text: string): string {
  return text.replace(/^(?:[ \t]*\n)+/, '').trimEnd()
}
