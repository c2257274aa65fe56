import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LlamaHost, llama } from '../../src/engines/llama/index.ts'
import { silent } from '../../src/log.ts'
import { engineContract } from '../contracts/engine.ts'
import { writeTinyModel } from '../fixtures/gguf.ts'

describe('llama', function suite() {
  this.timeout(30_000)
  const folder = mkdtempSync(join(tmpdir(), 'hone-llama-'))
  const modelPath = writeTinyModel(join(folder, 'tiny.gguf'))
  let host: LlamaHost
  before(() => {
    host = llama({ modelPath, log: silent, gpu: false })
  })
  after(async () => {
    await host[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  engineContract('llama', { open: () => host.load({ id: 'v0', base: modelPath }) })
})
