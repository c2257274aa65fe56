import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { codes } from '../src/errors.ts'

const root = join(import.meta.dirname, '..')
const files = globSync('{src,adapters,knowledge,training,bench}/**/*.ts', { cwd: root }).map((file) =>
  file.replaceAll('\\', '/'),
)
const text = (file: string) => readFileSync(join(root, file), 'utf8')
const imports = (file: string) =>
  [
    ...text(file).matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^'"\n]*(?:\{[^}]*\}[^'"\n]*)?['"](\.[^'"]+)['"]|import\(\s*['"](\.[^'"]+)['"]/g,
    ),
  ]
    .map(([, still, lazy]) => still ?? lazy ?? '')
    .map((path) => posix.normalize(posix.join(posix.dirname(file), path)))

/** The files that put the house together may import every folder. */
const composition = (file: string) =>
  ['src/main.ts', 'src/hone.ts', 'src/index.ts'].includes(file) ||
  file.startsWith('src/cli/') ||
  file.startsWith('bench/')
const shared = [
  'src/ports/',
  ...['errors', 'log', 'id', 'counted', 'emitting', 'explanation'].map((name) => `src/${name}.ts`),
]

function mayImport(from: string, to: string): boolean {
  if (composition(from)) return true
  if (from.startsWith('src/ports/')) return to.startsWith('src/ports/')
  if (from.startsWith('src/')) return to.startsWith('src/') && !composition(to)
  const folder = from.startsWith('adapters/') ? from.split('/').slice(0, 2).join('/') : (from.split('/')[0] as string)
  if (to.startsWith(`${folder}/`) || (from.startsWith('adapters/') && to.startsWith('adapters/shared/'))) return true
  return shared.some((allowed) => to === allowed || (allowed.endsWith('/') && to.startsWith(allowed)))
}

describe('the house rules', () => {
  it('let a file import only what its folder may know', () => {
    const broken = files.flatMap((file) =>
      imports(file)
        .filter((to) => !mayImport(file, to))
        .map((to) => `${file} → ${to}`),
    )
    assert.deepEqual(broken, [])
  })

  it('allow no import cycles', () => {
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      if (done.has(file) || path.includes(file)) return
      for (const next of imports(file)) if (files.includes(next)) visit(next, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
    assert.deepEqual(
      cycles.filter((cycle) => !cycle.includes('ports/')),
      [],
    )
  })

  it('keep files at 300 lines or fewer, Python too', () => {
    const all = [...files, ...globSync('training/python/**/*.py', { cwd: root })]
    assert.deepEqual(
      all.filter((file) => text(file).split('\n').length > 301),
      [],
    )
  })

  it('keep ports at 8 members or fewer', () => {
    const wide = globSync('src/ports/*.ts', { cwd: root }).flatMap((file) =>
      [...text(file).matchAll(/export interface (\w+)[^{]*\{\n([\s\S]*?)\n\}/g)]
        .filter(
          ([, , body]) => ((body as string).match(/^ {2}(?:readonly )?[\w[\].]+\??(?:<[^>]*>)?\(/gm) ?? []).length > 8,
        )
        .map(([, name]) => `${file}: ${name}`),
    )
    assert.deepEqual(wide, [])
  })

  it('read the environment in config.ts alone', () => {
    const readers = files.filter((file) => /process\.env\b/.test(text(file)) && file !== 'src/config.ts')
    assert.deepEqual(readers, [])
  })

  it('throw every error code somewhere', () => {
    const all = files.map(text).join('\n')
    assert.deepEqual(
      Object.keys(codes).filter((code) => !new RegExp(`['"]${code}['"]`).test(all)),
      [],
    )
  })

  it('give every channel and engine folder a test', () => {
    const folders = [
      ...new Set(
        globSync('adapters/*/index.ts', { cwd: root }).map((file) => dirname(relative(root, join(root, file)))),
      ),
    ]
    const tests = globSync('tests/adapters/**/*.test.ts', { cwd: root }).map(text).join('\n')
    assert.deepEqual(
      folders.filter((folder) => !tests.includes(`${folder}/index.ts`)),
      [],
    )
  })
})
