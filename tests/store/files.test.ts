import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { HoneError } from '../../src/errors.ts'
import { sqlite } from '../../src/store/index.ts'
import { botTurn, inbound, userTurn } from '../contracts/store.ts'
import { start } from './process.ts'

const dir = mkdtempSync(join(tmpdir(), 'hone-files-'))
after(() => rmSync(dir, { recursive: true }))

describe('The file of a SQLite store', () => {
  it('may be empty or missing, and is the same store when it is opened again', async () => {
    const path = join(dir, 'new', 'hone.db')
    mkdirSync(join(dir, 'new'))
    writeFileSync(path, '')
    for (const version of ['v1', 'v2', 'v3']) {
      await using store = await sqlite(path)
      await store.serving.set(version, 'test', 'reopened')
    }
    await using store = await sqlite(path)
    assert.equal((await store.serving.log(9)).length, 3)
  })
  it('is set up once when several processes open it at the same time', async () => {
    const path = join(dir, 'together.db')
    const children = Array.from({ length: 5 }, () => start('open', path))
    await Promise.all(children.map((child) => child.ended()))
    assert.deepEqual(
      children.flatMap((child) => child.said),
      Array(5).fill('open'),
    )
  })
  it('of a newer Hone is refused', async () => {
    const path = join(dir, 'newer.db')
    await (await sqlite(path))[Symbol.asyncDispose]()
    change(path, "insert into kysely_migration values ('9999_later', '2030-01-01T00:00:00.000Z')")
    await assert.rejects(sqlite(path), (error: HoneError) => error.code === 'STORE' && /newer Hone/.test(error.message))
  })
  it('may not be a folder', async () => {
    await assert.rejects(sqlite(dir), { code: 'STORE' })
  })
})

describe('A damaged database file', () => {
  it('is refused by its path and left as it is', async () => {
    const path = join(dir, 'garbage.db')
    const garbage = Buffer.from('This is no database. '.repeat(500))
    writeFileSync(path, garbage)
    const clear = (error: HoneError) => error.code === 'STORE' && error.message.includes(path)
    await assert.rejects(sqlite(path), clear)
    assert.deepEqual(readFileSync(path), garbage)
  })
  it('says so when a damaged page is read, and the rest goes on', async () => {
    const path = join(dir, 'page.db')
    await fill(path, 200)
    const bytes = readFileSync(path)
    bytes.fill(0xff, Math.floor(bytes.length * 0.4), Math.floor(bytes.length * 0.6))
    writeFileSync(path, bytes)
    await using store = await sqlite(path)
    const reads = Array.from({ length: 200 }, (_, i) => store.turns.get(`q${i}`))
    const failed = (await Promise.allSettled(reads)).filter((read) => read.status === 'rejected')
    assert.ok(failed.length > 0)
    assert.ok(failed.every((read) => read.reason.code === 'STORE' && read.reason.message.includes('damaged')))
    assert.equal(await store.serving.current(), 'v0')
  })
})

describe('Forgetting a person', () => {
  it('leaves no word of theirs in any file of the store', async () => {
    const path = join(dir, 'forget', 'hone.db')
    const canary = 'CANARY'
    const person = 'web:CANARY-person'
    await using store = await sqlite(path)
    await fill(path, 20)
    await store.inbox.claim(inbound('event:CANARY', { text: canary, person: { id: person, name: canary } }))
    await store.inbox.claim(inbound('event:CANARY-2', { text: canary, person: { id: person, name: canary } }))
    const turn = { parent: 'a3', person, event: 'event:CANARY' }
    await store.turns.appendUser(userTurn('q', { ...turn, text: `${canary} `.repeat(5000) }))
    const prompt = [{ role: 'user', content: `${canary} `.repeat(5000) }] as const
    await store.turns.appendBot([botTurn('a', 'q', { prompt, text: canary })], 'event:CANARY')
    await store.feedback.vote({ turn: 'a5', person, verdict: 'down', reason: canary, at: new Date() })
    await store.feedback.correct({ id: 'c', turn: 'a5', person, text: canary, at: new Date() })
    await store.feedback.duel({ id: 'd', left: 'a5', right: 'a6', person, outcome: 'tie', at: new Date() })
    await store.serving.set('v1', person, 'better')
    assert.ok(found(path, canary).length > 0, 'the canary can be found before')
    assert.equal(await store.feedback.forget(person), 6)
    assert.deepEqual(found(path, canary), [])
    assert.equal((await store.turns.get('a3'))?.text, 'Answer a3')
  })
})

/** Names of the files beside `path` that hold the text. */
function found(path: string, text: string): readonly string[] {
  const folder = join(path, '..')
  return readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(text))
}

async function fill(path: string, count: number): Promise<void> {
  await using store = await sqlite(path)
  const numbers = Array.from({ length: count }, (_, i) => i)
  const ofBob = { text: 'long '.repeat(200), person: 'web:bob' }
  await Promise.all(numbers.map((i) => store.turns.appendUser(userTurn(`q${i}`, ofBob))))
  await Promise.all(numbers.map((i) => store.turns.appendBot([botTurn(`a${i}`, `q${i}`)], `event:q${i}`)))
}

function change(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}
