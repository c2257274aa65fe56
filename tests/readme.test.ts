import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { commands } from '../src/commands.ts'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const programs = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code as string)
const run = promisify(execFile)

describe('the README', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'hone-readme-'))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('shows at least two programs', () => assert.ok(programs.length >= 2))

  for (const [index, program] of programs.entries()) {
    it(`shows a program that runs (${index + 1})`, async () => {
      const file = join(dir, 'program.ts')
      writeFileSync(file, program.replaceAll("'hone'", `'${pathToFileURL(join(root, 'src', 'index.ts'))}'`))
      const { stdout } = await run(process.execPath, [file], { cwd: dir })
      assert.match(stdout, /\S/)
    })
  }

  it('names commands that exist', () => {
    const named = [...readme.matchAll(/`\/hone ([\w-]+)`/g)].map(([, name]) => name as string)
    assert.ok(named.length > 0)
    assert.deepEqual(
      named.filter((name) => !Object.hasOwn(commands, name)),
      [],
    )
  })

  it('links to files that exist', () => {
    for (const [, file] of readme.matchAll(/\]\(([^)#]+)\)/g)) readFileSync(join(root, file as string))
  })
})
