import assert from 'node:assert/strict'

interface SetUp {
  advice(output: string): string
  installSettings(major: number): Readonly<Record<string, string>>
}
// Plain JavaScript without types: it runs before anything is installed.
const { advice, installSettings }: SetUp = await import(new URL('../scripts/setup.mjs', import.meta.url).href)

describe('the set-up', () => {
  it('lets nothing be compiled by a Node that is too old for the prebuilt llama.cpp', () => {
    assert.deepEqual(installSettings(18), { NODE_LLAMA_CPP_SKIP_DOWNLOAD: 'true' })
    for (const major of [20, 22, 24]) assert.deepEqual(installSettings(major), {})
  })

  it('says what to do when npm fails', () => {
    assert.match(advice('npm error code ENOSPC'), /disk is full/)
    assert.match(advice('npm error code ENOTFOUND'), /registry could not be reached/)
    assert.match(advice('npm error code EACCES'), /Give this folder to your user/)
    assert.match(advice('anything'), /Read the lines above/)
  })
})
