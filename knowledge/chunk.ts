import { createHash } from 'node:crypto'
import type { KnowledgeDocument } from '../src/ports/knowledge.ts'
import { type Block, blocks, sections } from './blocks.ts'
import { split } from './sentences.ts'

/** A piece of a document as it is indexed. */
export interface Chunk {
  /** `Page title - Section heading`, or the page title alone. */
  readonly title: string
  readonly text: string
  /**
   * What is embedded: the text under those titles that stand in the document itself. A title that was made from a
   * file name is left out, so that renaming a file changes no vector.
   */
  readonly embedText: string
}

/** Raised whenever the same document would be cut otherwise than before: indexed documents are then cut again. */
export const chunkerVersion = 1

/**
 * Cuts a document into passages of about `passageChars` characters that never cross a heading.
 *
 * Where a passage ends depends only on the text near by, so a line inserted at the top of a long file moves a few
 * passages and leaves the rest as they are (and their vectors with them).
 *
 * @example const chunks = await chunk({ id: 'a.md', title: 'Leave', text: '# Leave\n…', … }, 400)
 */
export async function chunk(document: KnowledgeDocument, passageChars = 400): Promise<readonly Chunk[]> {
  const text = document.text.replace(/\r\n?/g, '\n').replaceAll('\0', '')
  const titled = text.slice(0, 2000).includes(document.title)
  const parts = document.format === 'markdown' ? sections(text) : [{ headings: [], body: text }]
  const found: Chunk[] = []
  for (const part of parts) {
    const own = part.headings.filter((heading, i) => heading !== '' && !(i === 0 && heading === document.title))
    const title = [document.title, ...own].join(' - ')
    const lead = titled ? title : own.join(' - ')
    for (const body of await passages(part.body, passageChars, document.format)) {
      found.push({ title, text: body, embedText: lead ? `${lead}\n${body}` : body })
    }
  }
  return found.length > 0 ? found : headingsAlone(document, parts)
}

/** A page of headings without a word under them still says what it is about. */
function headingsAlone(document: KnowledgeDocument, parts: readonly { headings: readonly string[] }[]): Chunk[] {
  const text = parts
    .map((part) => part.headings.at(-1) ?? '')
    .filter(Boolean)
    .join('\n')
  return text ? [{ title: document.title, text, embedText: text }] : []
}

async function passages(body: string, limit: number, format: KnowledgeDocument['format']): Promise<readonly string[]> {
  if (body.trim() === '') return []
  if (body.length <= limit) return [body]
  const fitting: Block[] = []
  for (const block of blocks(body, limit)) {
    if (block.text.length <= limit) fitting.push(block)
    else fitting.push(...(await tear(block, limit, format)))
  }
  return segments(fitting, limit).flatMap((segment) => pack(segment, limit))
}

/** Cuts one block that is too long by itself: at sentences, and where a sentence is too long, anywhere it hurts least. */
async function tear(block: Block, limit: number, format: KnowledgeDocument['format']): Promise<readonly Block[]> {
  const options = { chunkSize: limit, chunkOverlap: 0 }
  // Loaded late: most documents never need it, and it takes a third of a second.
  const { MarkdownTextSplitter, RecursiveCharacterTextSplitter } = await import('@langchain/textsplitters')
  const splitter =
    format === 'markdown' ? new MarkdownTextSplitter(options) : new RecursiveCharacterTextSplitter(options)
  const torn: Block[] = []
  for (const sentence of sentences(block.text)) {
    const pieces = sentence.length <= limit ? [sentence] : await splitter.splitText(sentence)
    for (const piece of pieces) torn.push({ text: piece, glue: torn.length === 0 ? block.glue : ' ' })
  }
  return torn
}

function sentences(text: string): readonly string[] {
  return text.startsWith('```') || text.startsWith('~~~') ? [text] : split(text)
}

/**
 * Groups the blocks of a long section by content-defined cuts: a block begins a new segment when its hash is the
 * smallest of all blocks that begin within half a passage before or after it. Such a cut depends on its surroundings
 * alone, so an edit moves only the cuts beside it (local-minimum chunking, as in de-duplicating backups).
 */
function segments(all: readonly Block[], limit: number): readonly (readonly Block[])[] {
  const starts: number[] = []
  let total = 0
  for (const block of all) {
    starts.push(total)
    total += block.glue.length + block.text.length
  }
  if (total <= limit * 2) return [all]
  const hashes = all.map((block) => createHash('sha1').update(block.text).digest('hex'))
  const found: Block[][] = [[]]
  for (const [i, block] of all.entries()) {
    if (i > 0 && isLowest(i, hashes, starts, limit / 2)) found.push([])
    found.at(-1)?.push(block)
  }
  return found
}

function isLowest(at: number, hashes: readonly string[], starts: readonly number[], reach: number): boolean {
  const own = hashes[at] as string
  const from = starts[at] as number
  for (let i = at - 1; i >= 0 && from - (starts[i] as number) <= reach; i--) {
    if ((hashes[i] as string) <= own) return false
  }
  for (let i = at + 1; i < starts.length && (starts[i] as number) - from <= reach; i++) {
    if ((hashes[i] as string) < own) return false
  }
  return true
}

/** Fills passages with blocks in order, each passage about as long as the others of its segment. */
function pack(segment: readonly Block[], limit: number): readonly string[] {
  const total = segment.reduce((sum, block) => sum + block.glue.length + block.text.length, 0)
  const fair = Math.min(limit, total / Math.ceil(total / limit) + limit / 8)
  const found: string[] = []
  let passage = ''
  for (const block of segment) {
    const longer = passage ? `${passage}${block.glue}${block.text}` : ''
    if (longer && longer.length <= limit && passage.length < fair) passage = longer
    else {
      if (passage) found.push(passage)
      passage = block.head ? `${block.head}\n${block.text}` : block.text
    }
  }
  if (passage) found.push(passage)
  return found
}
