import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import { asHoneError, HoneError } from '../src/errors.ts'
import type { KnowledgeDocument } from '../src/ports/knowledge.ts'
import { formatOfName, formatOfPage, type Parsed } from './formats/parsed.ts'
import type { Raw } from './formats/read.ts'
import { type Reader, type ReaderLimits, startReader } from './formats/reader.ts'
import { fetchPage, isWebAddress, tooLarge } from './web-page.ts'

export interface LoadOptions extends ReaderLimits {
  readonly tenant: string
  readonly scope: string
  /** Largest file or page, in bytes. */
  readonly maxBytes?: number
  /** Allow web addresses of this machine and of the private network. */
  readonly allowPrivate?: boolean
  /** Paths are meant, and ids of files made, from here; the working folder by default. */
  readonly base?: string
  readonly onProgress?: (step: { readonly done: number; readonly total: number; readonly document: string }) => void
  readonly signal?: AbortSignal
}

export interface Loaded {
  readonly documents: readonly KnowledgeDocument[]
  /** What could not be read, and why. */
  readonly failed: readonly { readonly id: string; readonly reason: string }[]
  /** What ids of this source begin with, or are. Empty: it is the base folder itself. */
  readonly source: string
}

/** A file or page that is to be read. */
interface Found {
  readonly id: string
  readonly name: string
  readonly raw: () => Promise<Raw>
}

/**
 * Reads a file, a folder with all below it, or a web page. Names that begin with a dot are left out, and so are links
 * that lead out of the folder. What can't be read is reported, not thrown.
 *
 * @throws HoneError INPUT when the path doesn't exist.
 * @example const { documents, failed } = await load('handbook', { tenant: 'web', scope: 'public' })
 */
export async function load(source: string, options: LoadOptions): Promise<Loaded> {
  const { found, prefix } = isWebAddress(source) ? page(source, options) : await files(source, options)
  const documents: KnowledgeDocument[] = []
  const failed: { id: string; reason: string }[] = []
  await using reader = startReader(options)
  const stopIf = () => {
    if (options.signal?.aborted) throw new HoneError('CANCELLED', 'Reading the documents was stopped.')
  }
  for (const [i, one] of found.entries()) {
    stopIf()
    try {
      documents.push(await readOne(one, reader, options))
    } catch (error) {
      failed.push({ id: one.id, reason: error instanceof Error ? error.message : String(error) })
    }
    options.onProgress?.({ done: i + 1, total: found.length, document: one.id })
  }
  stopIf()
  return { documents, failed, source: prefix }
}

async function readOne(found: Found, reader: Reader, options: LoadOptions): Promise<KnowledgeDocument> {
  const raw = await found.raw()
  if (raw.bytes.length === 0) throw new HoneError('DOCUMENT', 'It is empty.')
  const parsed: Parsed = await reader.read(raw, options.signal)
  if (parsed.text.trim() === '') throw new HoneError('DOCUMENT', 'There is no text in it.')
  return {
    id: found.id,
    tenant: options.tenant,
    scope: options.scope,
    title: (parsed.title ?? found.name).replace(/\s+/g, ' ').slice(0, 200),
    text: parsed.text,
    format: parsed.format,
    ...(raw.address && { url: raw.address }),
  }
}

const sizeLimit = (options: LoadOptions) => options.maxBytes ?? 20 * 1024 * 1024

function page(source: string, options: LoadOptions): { found: readonly Found[]; prefix: string } {
  if (!URL.canParse(source)) throw new HoneError('INPUT', `${source} is no web address.`)
  const url = new URL(source)
  url.hash = ''
  const { allowPrivate = false, signal } = options
  const raw = async (): Promise<Raw> => {
    const limits = { maxBytes: sizeLimit(options), timeoutMs: 30_000, allowPrivate, ...(signal && { signal }) }
    const { bytes, contentType, address } = await fetchPage(url.href, limits)
    const format = formatOfPage(contentType, address)
    if (!format) throw new HoneError('DOCUMENT', `Pages of type ${contentType} can't be read.`)
    const charset = /charset=["']?([\w-]+)/i.exec(contentType)?.[1]
    return { format, bytes, address: url.href, ...(charset && { charset }) }
  }
  return { found: [{ id: url.href, name: url.hostname + url.pathname, raw }], prefix: url.href }
}

async function files(source: string, options: LoadOptions): Promise<{ found: readonly Found[]; prefix: string }> {
  const base = resolve(options.base ?? '.')
  const root = resolve(base, source)
  const about = await stat(root).catch((error: unknown) => {
    throw asHoneError(error, 'INPUT', `${source} can't be read`)
  })
  const inside = (path: string) => path === base || path.startsWith(base + sep)
  const idOf = (path: string) => (inside(path) ? relative(base, path) : path).split(sep).join('/')
  const entries = about.isDirectory() ? await walk(root, await realpath(root), new Set()) : [{ path: root }]
  const found = entries.map(({ path, refused }) => ({
    id: idOf(path),
    name: readable(basename(path)),
    raw: async (): Promise<Raw> => {
      if (refused) throw new HoneError('DOCUMENT', refused)
      const entry = await stat(path)
      // A pipe would be waited for without end.
      if (!entry.isFile()) throw new HoneError('DOCUMENT', 'It is neither a file nor a folder.')
      if (entry.size > sizeLimit(options)) throw tooLarge(sizeLimit(options))
      return { format: formatOfName(path), bytes: await readFile(path) }
    },
  }))
  return { found, prefix: idOf(root) }
}

interface Entry {
  readonly path: string
  /** Why it is not read. */
  readonly refused?: string
}

/** Files below a folder, in the order of their names. */
async function walk(folder: string, root: string, seen: Set<string>): Promise<readonly Entry[]> {
  const real = await realpath(folder)
  if (seen.has(real)) return []
  seen.add(real)
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort()
  const found: Entry[] = []
  for (const name of names) {
    const path = join(folder, name)
    const target = await realpath(path).catch(() => '')
    const about = target.startsWith(root + sep) ? await stat(path) : undefined
    if (about?.isDirectory()) found.push(...(await walk(path, root, seen)))
    else if (about?.isFile()) found.push({ path })
    else
      found.push({
        path,
        refused: target ? 'It is no file of this folder: links outwards are not followed.' : 'The link leads nowhere.',
      })
  }
  return found
}

/** `sick-leave_2026.md` as a title: `sick leave 2026`. */
function readable(name: string): string {
  const words = name
    .replace(/\.[a-z0-9]+$/i, '')
    .replace(/[-_]+/g, ' ')
    .trim()
  return words || name
}
