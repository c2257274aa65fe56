/** A sentence, an item of a list or a row of a table, and the words before it that say what it is about. */
export interface Sentence {
  readonly text: string
  readonly about: string
}

const ends = new Intl.Segmenter('en', { granularity: 'sentence' })
const fence = /^(?:```|~~~)/
const rule = /^[|\-: \t]+$/
const item = /^(?:[-*+]|\d{1,9}[.)])[ \t]+(\S.*)$/
const bold = /(?<![\w/*])\*\*(?=\S)([^*]+?)(?<=\S)\*\*(?![\w/*])/g
/** A line this long was broken for its width, so the next one goes on with it. */
const width = 60

/** Where sentences of running text end. */
export function split(text: string): readonly string[] {
  return [...ends.segment(text)].map(({ segment }) => segment.trim()).filter(Boolean)
}

/**
 * The sentences of a passage's Markdown, without bold marks and code blocks. A row of a table is put in words, with the names of its
 * columns; an item of a list knows the line that introduces the list.
 *
 * @example sentences('- Hotel: **140** euros').map(({ text }) => text) // ['Hotel: 140 euros']
 */
export function sentences(markdown: string): readonly Sentence[] {
  const lines = unbroken(markdown.replaceAll(bold, '$1').split('\n'))
  const found: Sentence[] = []
  let lead = ''
  let names: readonly string[] = []
  for (const [i, line] of lines.entries()) {
    const after = lines[i + 1] ?? ''
    const isRow = line.startsWith('|')
    if (line === '' || rule.test(line)) continue
    if (isRow && after.startsWith('|') && rule.test(after)) names = cells(line)
    else if (isRow) found.push({ text: rowText(cells(line), names), about: names.join(' ') })
    else if (item.test(line)) found.push({ text: item.exec(line)?.[1] ?? '', about: lead })
    else {
      lead = line.endsWith(':') ? line : ''
      found.push(...split(line).map((text) => ({ text, about: '' })))
    }
  }
  return found.filter(({ text }) => /[\p{L}\p{N}]/u.test(text))
}

/** Lines without code blocks, each with those that only go on with it: broken for their width, or indented below an item. */
function unbroken(lines: readonly string[]): readonly string[] {
  const found: string[] = []
  let code = false
  let last = ''
  for (const line of lines) {
    const text = line.trim()
    if (fence.test(text)) code = !code
    else if (!code && goesOn(line, last)) found[found.length - 1] += ` ${text}`
    else if (!code) found.push(text)
    last = code || fence.test(text) ? '' : line
  }
  return found
}

function goesOn(line: string, last: string): boolean {
  const text = line.trim()
  const before = last.trim()
  if (text === '' || before === '' || /^\|/.test(text) || /^\|/.test(before) || item.test(text) || rule.test(text))
    return false
  if (item.test(before) && !/^[ \t]/.test(line)) return false
  return !/[.!?:;]$/.test(before) && (last.length >= width || /^\p{Ll}/u.test(text))
}

function cells(row: string): readonly string[] {
  return row
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => cell.trim())
}

/** `Riga: Opens 8:00, Closes 17:00`; of two columns without the second's name: `Hotel: 140 euros`. */
function rowText(row: readonly string[], names: readonly string[]): string {
  const [first, ...rest] = row
  if (rest.length < 2) return row.join(': ')
  const named = rest.flatMap((cell, i) => (cell === '' || cell === '-' ? [] : [`${names[i + 1] ?? ''} ${cell}`.trim()]))
  return `${first}: ${named.join(', ')}`
}
