import { extractText, getDocumentProxy, getMeta } from 'unpdf'
import { asHoneError, HoneError } from '../../src/errors.ts'
import { headed, type Parsed } from './parsed.ts'

/**
 * The text of a PDF, one section a page, so that a passage can say which page it is from.
 *
 * @throws HoneError DOCUMENT for a damaged, locked or scanned file.
 */
export async function readPdf(bytes: Uint8Array): Promise<Parsed> {
  if (!new TextDecoder('latin1').decode(bytes.subarray(0, 1024)).includes('%PDF-')) {
    throw new HoneError('DOCUMENT', 'It is no PDF: the mark at its beginning is missing.')
  }
  const pdf = await getDocumentProxy(new Uint8Array(bytes)).catch(refuse)
  const { text: pages } = await extractText(pdf, { mergePages: false }).catch(refuse)
  const { info } = await getMeta(pdf).catch(() => ({ info: {} as Record<string, unknown> }))
  if (pages.every((page) => page.trim() === '')) {
    throw new HoneError('DOCUMENT', 'There is no text in it. A scanned PDF must go through text recognition first.')
  }
  const given = typeof info.Title === 'string' ? info.Title.trim() : ''
  const title = given || /^\s*(\S[^\n]{0,98})\n/.exec(pages[0] ?? '')?.[1]?.trim()
  if (pages.length === 1) return { text: clean(pages[0] as string), format: 'text', ...(title && { title }) }
  return headed(title, pages.map((page, i) => `## Page ${i + 1}\n\n${clean(page)}`).join('\n\n'))
}

/** Words that were torn at a line's end are joined; a line that begins with `#` is no heading. */
function clean(page: string): string {
  return page.replace(/(\p{Ll})-\n(\p{Ll})/gu, '$1$2').replace(/^#/gm, '\\#')
}

function refuse(error: unknown): never {
  if (error instanceof Error && error.name === 'PasswordException') {
    throw new HoneError('DOCUMENT', 'The PDF is locked with a password.', { cause: error })
  }
  throw asHoneError(error, 'DOCUMENT', 'The PDF is damaged')
}
