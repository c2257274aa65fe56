import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

interface SetUp {
  advice(output: string): string
  needsNewerNode(major: number): boolean
}
// Plain JavaScript without types: it runs before anything is installed.
const { advice, needsNewerNode }: SetUp = await import(new URL('../scripts/setup.mjs', import.meta.url).href)

describe('the set-up', () => {
  it('has npm run on the pinned Node where the machine’s own is too old for the packages', () => {
    assert.deepEqual([18, 19, 20, 22, 24].map(needsNewerNode), [true, true, false, false, false])
  })

  it('says what to do when npm fails', () => {
    assert.match(advice('npm error code ENOSPC'), /disk is full/)
    assert.match(advice('npm error code ENOTFOUND'), /registry could not be reached/)
    assert.match(advice('npm error code EACCES'), /Give this folder to your user/)
    assert.match(advice('anything'), /Read the lines above/)
  })

  it('is what a command asks for on a Node that can’t run Hone', () => {
    const older = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.0' } })`
    const script = fileURLToPath(new URL('../scripts/hone.mjs', import.meta.url))
    const asked = ['--import', `data:text/javascript,${encodeURIComponent(older)}`, script, 'versions']
    const { status, stderr } = spawnSync(process.execPath, asked, { encoding: 'utf8' })
    assert.equal(status, 1)
    assert.match(stderr, /not set up .* Run `npm start` first/)
  })
})
