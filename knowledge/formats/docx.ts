import mammoth from 'mammoth'
import { asHoneError, HoneError } from '../../src/errors.ts'
import { fragmentToMarkdown } from './html.ts'
import { headed, type Parsed } from './parsed.ts'

const unpackedLimit = 200 * 1024 * 1024

/**
 * A Word document as Markdown: headings, lists and tables are kept, pictures are not.
 *
 * @throws HoneError DOCUMENT for a damaged file and for one that would unpack to more than 200 MB.
 */
export async function readDocx(bytes: Uint8Array): Promise<Parsed> {
  const buffer = Buffer.from(bytes)
  if (unpackedSize(buffer) > unpackedLimit) throw new HoneError('DOCUMENT', 'It unpacks to more than 200 MB.')
  const noPictures = mammoth.images.imgElement(async () => ({ src: '' }))
  const { value } = await mammoth
    .convertToHtml({ buffer }, { convertImage: noPictures, externalFileAccess: false })
    .catch((error: unknown) => {
      throw asHoneError(error, 'DOCUMENT', 'The Word document is damaged')
    })
  const title = /<h1[^>]*>(.*?)<\/h1>/s
    .exec(value)?.[1]
    ?.replace(/<[^>]*>/g, '')
    .trim()
  return headed(title, await fragmentToMarkdown(value))
}

/** The sizes that a ZIP's own directory states, summed (PKWARE APPNOTE 4.3.12). */
function unpackedSize(zip: Buffer): number {
  let sum = 0
  for (let at = zip.indexOf('PK\x01\x02'); at >= 0 && at + 46 <= zip.length; at = zip.indexOf('PK\x01\x02', at + 46)) {
    sum += zip.readUInt32LE(at + 24)
  }
  return sum
}
