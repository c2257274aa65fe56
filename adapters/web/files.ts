import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

interface File {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly type: string
  readonly hash: string
}

/** Everything the pages load, from this machine alone: our own files and two libraries' published builds. */
export interface Files {
  /** The address of a file; changes when the file does, so it may be cached for ever. */
  path(name: string): string
  find(hash: string, name: string): File | undefined
}

const own = (name: string) => new URL(`./assets/${name}`, import.meta.url)
const places: Readonly<Record<string, () => URL | string>> = {
  'hone.css': () => own('hone.css'),
  'hone.js': () => own('hone.js'),
  'plots.js': () => own('plots.js'),
  'replay.js': () => own('replay.js'),
  'icon.svg': () => own('icon.svg'),
  'htmx.min.js': () => import.meta.resolve('htmx.org/dist/htmx.min.js'),
  'uPlot.iife.min.js': () => import.meta.resolve('uplot/dist/uPlot.iife.min.js'),
  'uPlot.min.css': () => import.meta.resolve('uplot/dist/uPlot.min.css'),
}
const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/** Reads the files once; they are 250 kB together. */
export function files(): Files {
  const read = new Map<string, File>()
  for (const [name, place] of Object.entries(places)) {
    const bytes = new Uint8Array(readFileSync(fileURLToPath(place())))
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
    read.set(name, { bytes, hash, type: types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream' })
  }
  return {
    path: (name) => `/assets/${read.get(name)?.hash ?? '0'}/${name}`,
    find(hash, name) {
      const file = read.get(name)
      return file?.hash === hash ? file : undefined
    },
  }
}
