import type { Format, Parsed } from './parsed.ts'

/** A file's bytes and what is known about them. */
export interface Raw {
  readonly format: Format
  readonly bytes: Uint8Array
  readonly address?: string
  readonly charset?: string
}

/** Reads one file in this process. Each format's library is loaded when it is first met. */
export async function readHere({ format, bytes, address, charset }: Raw): Promise<Parsed> {
  switch (format) {
    case 'markdown':
      return (await import('./markdown.ts')).readMarkdown(bytes, charset)
    case 'text':
      return (await import('./text.ts')).readText(bytes, charset)
    case 'html':
      return (await import('./html.ts')).readHtml(bytes, address, charset)
    case 'pdf':
      return (await import('./pdf.ts')).readPdf(bytes)
    case 'docx':
      return (await import('./docx.ts')).readDocx(bytes)
    case 'csv':
      return (await import('./csv.ts')).readCsv(bytes, charset)
    default:
      format satisfies never
      throw new Error(`No such format: ${String(format)}`)
  }
}
