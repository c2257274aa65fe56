import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const child = new URL('child.ts', import.meta.url).pathname

/** A child process of `child.ts`, and the whole lines it has said. */
export interface Child {
  readonly process: ChildProcess
  readonly said: readonly string[]
  /** Resolves once it has said this many lines. */
  lines(count: number): Promise<void>
  /** Resolves once it has ended and all it said is read. */
  ended(): Promise<void>
}

/** Starts `child.ts`. */
export function start(...words: readonly string[]): Child {
  const running = spawn(process.execPath, [child, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
  const said: string[] = []
  let rest = ''
  const read = createInterface({ input: running.stdout })
  running.stdout.on('data', (chunk: Buffer) => {
    rest = `${rest}${chunk}`.slice(-1)
  })
  read.on('line', (line) => said.push(line))
  const closed = once(read, 'close')
  return {
    process: running,
    said,
    async lines(count) {
      while (said.length < count) await Promise.race([once(read, 'line'), closed])
    },
    async ended() {
      await closed
      // What came after the last line end was never said in full.
      if (rest !== '' && rest !== '\n') said.pop()
    },
  }
}
