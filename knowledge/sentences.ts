/** A sentence, an item of a list or a row of a table, and the words before it that say what it is about. */
export interface Sentence {
  readonly text: string
  readonly about: string
}

const ends = new Intl.Segmenter('en', { granularity: 'sentence' })
const rule = /^[|\-: \t]+$/
const item = /^(?:[-*+]|\d{1,9}[.)])[ \t]+(\S.*)$/

/** Where sentences of running text end. */
export function split(text: string): readonly string[] {
  return [...ends.segment(text)].map(({ segment }) => segment.trim()).filter(Boolean)
}

/**
 * The sentences of a passage's Markdown, without bold marks. A row of a table is put in words, with the names of its columns.
 *
 * @example sentences('- Hotel: **140** euros').map(({ text }) => text) // ['Hotel: 140 euros']
 */
export function sentences(markdown: string): readonly Sentence[] {
  const lines = markdown
    .replaceAll('**', '')
    .split('\n')
    .map((line) => line.trim())
  const found: Sentence[] = []
  let lead = ''
  let names: readonly string[] = []
  for (const [i, line] of lines.entries()) {
    const after = lines[i + 1] ?? ''
    const isRow = line.startsWith('|')
    if (line === '') lead = ''
    else if (rule.test(line)) continue
    else if (isRow && after.startsWith('|') && rule.test(after)) names = cells(line)
    else if (isRow) found.push({ text: rowText(cells(line), names), about: names.join(' ') })
    else if (item.test(line)) found.push({ text: item.exec(line)?.[1] ?? '', about: lead })
    else {
      lead = line.endsWith(':') ? line : ''
      found.push(...split(line).map((text) => ({ text, about: '' })))
    }
  }
  return found
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
