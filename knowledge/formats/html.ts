import { Defuddle } from 'defuddle/node'
import { parseHTML } from 'linkedom'
import { headed, type Parsed } from './parsed.ts'
import { decode } from './text.ts'

/** The readable part of a page as Markdown, without menus, footers and scripts. Fetches nothing. */
export async function readHtml(bytes: Uint8Array, address?: string, charset?: string): Promise<Parsed> {
  const source = decode(bytes, charset ?? declared(bytes))
  // linkedom takes the first element for the whole document where `<html>` was left out.
  const { document } = parseHTML(
    /<html[\s>]/i.test(source) ? source : `<!doctype html><html><body>${source}</body></html>`,
  )
  const page = await Defuddle(document, address, { markdown: true, useAsync: false, removeImages: true })
  const title = page.title || document.querySelector('h1')?.textContent?.trim()
  return headed(title, page.content)
}

/** HTML without a page around it, as Markdown with every part of it kept. */
export async function fragmentToMarkdown(html: string): Promise<string> {
  const { document } = parseHTML(`<!doctype html><html><body><article>${html}</article></body></html>`)
  const page = await Defuddle(document, undefined, {
    markdown: true,
    useAsync: false,
    removeImages: true,
    removeLowScoring: false,
    removeExactSelectors: false,
    removePartialSelectors: false,
    removeHiddenElements: false,
    removeContentPatterns: false,
  })
  return page.content
}

/** The charset that the page names for itself in its first kilobyte. */
function declared(bytes: Uint8Array): string | undefined {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 1024))
  return /<meta[^>]+charset=["']?([\w-]+)/i.exec(head)?.[1]
}
