import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

describe('building FAISS', () => {
  it('says what is missing and how to get it, and that nothing is lost without it', () => {
    const into = mkdtempSync(join(tmpdir(), 'hone-faiss-'))
    const script = fileURLToPath(new URL('../../scripts/build-faiss.mjs', import.meta.url))
    const { status, stderr } = spawnSync(process.execPath, [script, '--into', into], { env: { PATH: into } })
    rmSync(into, { recursive: true })
    assert.equal(status, 3)
    assert.match(stderr.toString(), /Hone uses usearch instead/)
    assert.match(stderr.toString(), /C\+\+ compiler: `sudo apt-get install g\+\+`/)
  })
})
