/** A run of lines that stays together: a paragraph, or a fenced code block. */
interface Block {
  /** The white space before it. */
  readonly gap: string
  readonly text: string
  readonly fence?: Fence
}
interface Fence {
  /** The line that opens it, e.g. ```` ```ts ````. */
  readonly open: string
  /** The marker that closes it. */
  readonly close: string
}

const fenceLine = /^\s*(`{3,}|~{3,})(.*)$/
/** Where a paragraph that is too long may be cut, best first: lines, sentences, words. */
const cuts = [/\n+/, /(?<=[.!?…])\s+/, /\s+/] as const

/**
 * Cuts Markdown into parts that each fit a message: between paragraphs where it can, else between lines, sentences,
 * words. A code block that fits is never cut; a longer one is closed and opened again.
 *
 * @param limit most UTF-16 units a part may have; at least 40 where there is code.
 * @example splitText('One.\n\nTwo.', 2000) // ['One.\n\nTwo.']
 */
export function splitText(markdown: string, limit: number): string[] {
  const parts: string[] = []
  let part = ''
  const flush = (): void => {
    if (part.trim()) parts.push(part)
    part = ''
  }
  const add = (text: string, gap: string, level = 0): void => {
    if (part.length + gap.length + text.length <= limit && part) {
      part += gap + text
    } else if (text.length <= limit) {
      flush()
      part = text
    } else {
      for (const finer of finerPieces(text, limit, level)) add(finer.text, finer.gap || gap, finer.level)
    }
  }
  for (const { gap, text, fence } of blocksOf(markdown)) {
    if (!fence || text.length <= limit) {
      add(text, gap)
    } else {
      flush()
      for (const piece of cutCode(text, fence, limit)) add(piece, '\n')
    }
  }
  flush()
  return parts
}

/**
 * Closes what is still open at the end of Markdown that grows, so that it never shows half a format: code blocks,
 * inline code, emphasis; half a link shows its label. Healing what is whole changes nothing.
 *
 * @example healed('Use **bo') // 'Use **bo**'
 */
export function healed(markdown: string): string {
  const last = blocksOf(markdown).at(-1)
  if (!last) return ''
  const before = markdown.slice(0, markdown.trimEnd().length - last.text.length)
  return (before + (last.fence ? closeFence(last.text, last.fence) : closeInline(last.text))).trimEnd()
}

function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = []
  let lines: string[] = []
  let gap = ''
  let fence: Fence | undefined
  const end = (): void => {
    if (lines.length === 0) return
    blocks.push({ gap, text: lines.join('\n'), ...(fence ? { fence } : {}) })
    lines = []
    fence = undefined
    gap = '\n'
  }
  for (const line of markdown.trimEnd().split('\n')) {
    const [, marker, info = ''] = fenceLine.exec(line) ?? []
    if (fence) {
      lines.push(line)
      if (marker && !info.trim() && marker.startsWith(fence.close)) end()
    } else if (marker && !info.includes('`')) {
      end()
      fence = { open: line, close: marker }
      lines.push(line)
    } else if (line.trim() === '') {
      end()
      if (blocks.length > 0) gap = '\n\n'
    } else {
      lines.push(line)
    }
  }
  end()
  return blocks
}

interface Piece {
  readonly text: string
  readonly gap: string
  readonly level: number
}

function finerPieces(text: string, limit: number, level: number): readonly Piece[] {
  const cut = cuts[level]
  if (!cut) return hardCut(text, limit).map((piece) => ({ text: piece, gap: '', level }))
  const pieces: Piece[] = []
  let from = 0
  let gap = ''
  for (const found of text.matchAll(new RegExp(cut, 'g'))) {
    pieces.push({ text: text.slice(from, found.index), gap, level: level + 1 })
    from = found.index + found[0].length
    gap = found[0]
  }
  pieces.push({ text: text.slice(from), gap, level: level + 1 })
  return pieces.filter((piece) => piece.text !== '')
}

/** The last resort: after so many units, but never within a character. */
function hardCut(text: string, limit: number): readonly string[] {
  const pieces: string[] = []
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + Math.max(limit, 2))
    const last = text.charCodeAt(to - 1)
    if (to < text.length && last >= 0xd800 && last <= 0xdbff) to -= 1
    pieces.push(text.slice(from, to))
    from = to
  }
  return pieces
}

/** A code block of several messages: closed at the end of each, opened again in the next. */
function cutCode(text: string, { open, close }: Fence, limit: number): readonly string[] {
  const room = limit - open.length - close.length - 2
  if (room < 2) return hardCut(text, limit)
  const lines = text.split('\n').slice(1)
  if (lines.at(-1)?.trim().startsWith(close)) lines.pop()
  const pieces: string[] = []
  let code: string | undefined
  for (const line of lines.flatMap((long) => (long.length > room ? hardCut(long, room) : [long]))) {
    if (code !== undefined && code.length + 1 + line.length > room) {
      pieces.push(code)
      code = line
    } else {
      code = code === undefined ? line : `${code}\n${line}`
    }
  }
  if (code !== undefined) pieces.push(code)
  return pieces.map((piece) => `${open}\n${piece}\n${close}`)
}

function closeFence(text: string, { close }: Fence): string {
  const lines = text.split('\n')
  if (lines.length === 1) return ''
  const last = lines.at(-1)?.trim() ?? ''
  if (last.length >= close.length && last === close[0]?.repeat(last.length)) return text
  // Half of the closing marker has come.
  if (last && last === close.slice(0, last.length)) lines.pop()
  return `${lines.join('\n')}\n${close}`
}

const mark = /\\.|`+|\*\*|__|~~|\|\||\*|_/gs

/** Closes code spans and emphasis that the last paragraph leaves open, innermost first. */
function closeInline(given: string): string {
  let text = given.replace(/(?<=^|\s)[*_~`|]+$/, '').replace(/\[([^\]\n]*)\]\([^)\n]*$/, '$1')
  const open: string[] = []
  let code = ''
  for (const { 0: found, index } of text.matchAll(mark)) {
    if (found.startsWith('\\')) continue
    if (found.startsWith('`')) {
      if (!code) code = found
      else if (code === found) code = ''
    } else if (!code) {
      step(open, found, { before: text[index - 1] ?? ' ', after: text[index + found.length] ?? ' ' })
    }
  }
  if (code) text += code
  return text + open.toReversed().join('')
}

/** Opens or closes one kind of emphasis, by what stands around its marker. */
function step(open: string[], found: string, { before, after }: { readonly before: string; readonly after: string }) {
  const at = open.lastIndexOf(found)
  const inWord = found.startsWith('_') && /\w/.test(before) && /\w/.test(after)
  if (inWord) return
  if (at >= 0 && /\S/.test(before)) open.length = at
  else if (at < 0 && /\S/.test(after)) open.push(found)
}
