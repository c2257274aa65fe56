import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../../src/cli/model.ts'
import { childEnvironment } from '../../../src/config.ts'
import type { Comparison } from '../../../src/ports/compare.ts'
import { sqlite } from '../../../src/store/index.ts'
import { fill } from '../house.ts'

const rows = ['bare', 'dpo', 'dpo+examples']

/** `hone compare` as a process of its own, on the starter model with the real trainer, under a tiny budget. */
function compare(dir: string): ChildProcessWithoutNullStreams {
  const budget = ['--rows', '16', '--epochs', '1', '--only', rows.join(','), '--json']
  const env = childEnvironment({ HONE_DATA: dir, HONE_LOG: 'warn' })
  return spawn(process.execPath, [join(packageRoot, 'src', 'main.ts'), 'compare', ...budget], { cwd: dir, env })
}

/** Resolves once the process says something on stderr; throws what it said when it ends without. */
async function says(child: ChildProcessWithoutNullStreams, what: RegExp): Promise<void> {
  let told = ''
  for await (const chunk of child.stderr) {
    told += chunk
    if (what.test(told)) return
  }
  throw new Error(told)
}

describe('hone compare on the starter model', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hone-compare-'))
    await using store = await sqlite(join(dir, 'hone.db'))
    await fill(store, 44)
  })
  after(() => rm(dir, { recursive: true, force: true }))

  it('trains and measures for real, through a kill -9 in the middle, and leaves figures alone', async () => {
    const first = compare(dir)
    await says(first, /DPO \(3 of 4\)/)
    first.kill('SIGKILL')
    await once(first, 'close')
    const [folder = ''] = await readdir(join(dir, 'compare'))
    const file = (row: string) => readFile(join(dir, 'compare', folder, `${row}.json`), 'utf8')
    const before = await Promise.all(['base', 'bare'].map(file))

    const second = compare(dir)
    const [stdout, stderr, [code]] = await Promise.all([
      Array.fromAsync(second.stdout, String),
      Array.fromAsync(second.stderr, String),
      once(second, 'close'),
    ])
    const told = stderr.join('')
    assert.equal(code, 0, told)
    assert.match(told, /Measured already: Base, Model alone\./)
    const { rows: found, advice } = JSON.parse(stdout.join('')) as Comparison
    assert.deepEqual(
      found.map(({ id, measured, why }) => [id, measured !== undefined, why]),
      ['base', ...rows].map((id) => [id, true, undefined]),
    )
    const dpo = found.find(({ id }) => id === 'dpo')?.measured
    assert.ok(dpo && dpo.trainSeconds > 0 && (dpo.perplexity?.value ?? 0) > 1 && (dpo.memoryMb ?? 0) > 100)
    assert.ok(dpo.prefers && !dpo.fails.join().includes('its weights are the base’s'), dpo.fails.join())
    assert.match(advice.text, /\S/)
    assert.deepEqual(await Promise.all(['base', 'bare'].map(file)), before)
    assert.deepEqual(
      (await readdir(join(dir, 'versions'))).filter((name) => /^v\d/.test(name)),
      [],
    )
    const left = await readdir(join(dir, 'jobs'), { recursive: true })
    assert.deepEqual(
      left.filter((name) => /safetensors|gguf/.test(name)),
      [],
    )
  }).timeout(900_000)
})
