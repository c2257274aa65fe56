import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { asHoneError, HoneError } from '../errors.ts'

const BUSY = 5

/**
 * Takes a data folder for this process (made if it isn't there) until the result is disposed or the process ends,
 * however it ends: the lock is SQLite's own on `lock.db`, which the operating system drops. No pid is guessed at;
 * `lock.pid` only serves the message.
 *
 * @throws HoneError DATA_LOCKED while another process has the folder, STORE when the folder can't be used.
 * @example using lock = lockDataDir('.hone')
 */
export function lockDataDir(dir: string): Disposable {
  const pidFile = join(dir, 'lock.pid')
  let lock: DatabaseSync | undefined
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    lock = new DatabaseSync(join(dir, 'lock.db'))
    lock.exec('pragma locking_mode = exclusive; begin exclusive')
    writeFileSync(pidFile, `${process.pid}\n`)
  } catch (error) {
    lock?.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === BUSY) {
      throw new HoneError('DATA_LOCKED', `${dir} is in use by process ${holder(pidFile)}.`, { cause: error })
    }
    throw asHoneError(error, 'STORE', `The data folder ${dir} can't be used`)
  }
  const held = lock
  return {
    [Symbol.dispose]() {
      if (held.isOpen) held.close()
    },
  }
}

function holder(pidFile: string): string {
  try {
    return readFileSync(pidFile, 'utf8').trim() || 'unknown'
  } catch {
    return 'unknown'
  }
}
