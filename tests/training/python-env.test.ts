import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HoneError } from '../../src/errors.ts'
import { findPython, isReady, preparePython, venvPython } from '../../training/python-env.ts'

describe('the training environment', function () {
  this.timeout(600_000)
  let folder: string
  const options = (lock: string) => ({ venv: join(folder, 'venv'), requirements: join(folder, lock) })
  const prepare = async (lock: string) => {
    const said: string[] = []
    const python = await preparePython(options(lock), (line) => said.push(line))
    return { said, python }
  }
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'fine',
      (error) => (error instanceof HoneError ? error.code : String(error)),
    )

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hone-env-'))
    // No packages, so that nothing but the machine's own Python is needed.
    await writeFile(join(folder, 'empty.lock'), '# nothing\n')
    await writeFile(join(folder, 'other.lock'), '# nothing either\n')
    await writeFile(join(folder, 'lost.lock'), '--no-index\nhone-there-is-no-such-package==1.0\n')
  })
  after(() => rm(folder, { recursive: true, force: true }))

  it('is made on first use, found the second time, made anew for another lock, and repaired', async () => {
    const first = await prepare('empty.lock')
    assert.equal(first.python, venvPython(join(folder, 'venv')))
    assert.match(first.said[0] ?? '', /Setting up the training environment/)
    assert.deepEqual((await prepare('empty.lock')).said, [])
    assert.equal(await isReady(options('other.lock')), false)
    // As a set-up that was killed leaves it.
    await writeFile(join(folder, 'venv', 'hone-environment'), 'making')
    assert.match((await prepare('empty.lock')).said.at(-1) ?? '', /is ready/)
  })

  it('says so when a package can not be had, and is not taken for ready', async () => {
    assert.equal(await codeOf(prepare('lost.lock')), 'NETWORK')
    assert.equal(await isReady(options('lost.lock')), false)
  })

  it('is not made by two processes at once', async () => {
    await writeFile(join(folder, 'venv.lock'), String(process.ppid))
    assert.equal(await codeOf(prepare('empty.lock')), 'BUSY')
    await rm(join(folder, 'venv.lock'))
  })

  it('never replaces an environment that somebody else made', async () => {
    await rm(join(folder, 'venv'), { recursive: true, force: true })
    await mkdir(join(folder, 'venv'))
    assert.equal(await codeOf(prepare('empty.lock')), 'PYTHON')
  })

  it('names the Python that it could not use', async () => {
    await assert.rejects(findPython('/nowhere/python'), /needs Python 3\.11 or newer.*\/nowhere\/python can't be run/)
  })
})
