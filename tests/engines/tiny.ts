import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LlamaHost, type LlamaOptions, llama } from '../../src/engines/llama/index.ts'
import { silent } from '../../src/log.ts'
import { writeTinyModel } from '../fixtures/gguf.ts'

/** A folder with a tiny random model, and hosts on it; all gone when it is disposed. */
export interface Tiny extends AsyncDisposable {
  readonly folder: string
  readonly modelPath: string
  host(options?: Partial<LlamaOptions>): LlamaHost
}

export function tiny(): Tiny {
  const stack = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'hone-llama-'))
  stack.defer(() => rmSync(folder, { recursive: true }))
  const modelPath = writeTinyModel(join(folder, 'tiny.gguf'))
  return {
    folder,
    modelPath,
    host: (options = {}) => stack.use(llama({ modelPath, log: silent, gpu: false, ...options })),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** True while a process of this id runs. */
export function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
