import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openRegistry } from '../../training/registry.ts'

const script = join(import.meta.dirname, 'registry-child.ts')

describe('the registry under kill -9', () => {
  let root: string
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'hone-kill-'))
    await writeFile(join(root, 'base.gguf'), 'weights')
  })
  after(() => rm(root, { recursive: true }))

  /** Kills a publishing process when it has said so many lines; answers the versions that it said were published. */
  async function killAfter(lines: number): Promise<readonly string[]> {
    const child = spawn(process.execPath, [script, root], { stdio: ['ignore', 'pipe', 'inherit'] })
    const exit = once(child, 'exit')
    const said: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line)
      if (said.length === lines) child.kill('SIGKILL')
    }
    await exit
    return said.flatMap((line) => (line.startsWith('published ') ? [line.slice(10)] : []))
  }

  it('has every version that was said to be published, whole, and no other folder', async () => {
    const base = join(root, 'base.gguf')
    const published: string[] = []
    for (const lines of [1, 2, 4, 5, 7]) {
      published.push(...(await killAfter(lines)))
      const registry = await openRegistry(join(root, 'versions'))
      const ids = (await registry.list()).map(({ manifest }) => manifest.id)
      for (const id of published) assert.ok(ids.includes(id), `${id} is gone`)
      for (const id of ids) assert.ok((await registry.toVersion(id, base)).lora, id)
      const folders = (await readdir(join(root, 'versions'))).filter((name) => /^v\d/.test(name))
      assert.deepEqual(folders.sort(), ids.toSorted())
    }
    assert.equal(new Set(published).size, published.length, 'a number was used twice')
    assert.ok(published.length >= 4)
  })
})
