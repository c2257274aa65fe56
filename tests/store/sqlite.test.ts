import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqlite } from '../../src/store/index.ts'
import { storeContract } from '../contracts/store.ts'

describe('The SQLite store', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hone-store-'))
  after(() => rmSync(dir, { recursive: true }))
  let files = 0
  storeContract('SQLite in a file', () => sqlite(join(dir, `${files++}.db`)))
  storeContract('SQLite in memory', () => sqlite(':memory:'))
})
