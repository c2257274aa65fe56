// A process for tests that need a second one: `node child.ts MODE PATH`. It says on stdout what the store acknowledged.
import { writeSync } from 'node:fs'
import { argv } from 'node:process'
import { lockDataDir, sqlite } from '../../src/store/index.ts'
import { botTurn, inbound, userTurn } from '../contracts/store.ts'

const [, , mode, path = '', ...words] = argv
const say = (line: string) => writeSync(1, `${line}\n`)

if (mode === 'lock') await lock()
if (mode === 'claim') await claim()
if (mode === 'open') await open()
if (mode === 'talk') await talk(words[0] ?? '')

/** Holds the lock until it is killed. */
async function lock(): Promise<void> {
  const held = lockDataDir(path)
  say('locked')
  process.stdin.resume().on('end', () => held[Symbol.dispose]())
}

/** Opens the store and closes it. */
async function open(): Promise<void> {
  await using _ = await sqlite(path)
  say('open')
}

/** Claims the same hundred events as everybody else. */
async function claim(): Promise<void> {
  await using store = await sqlite(path)
  for (let i = 0; i < 100; i++) if (await store.inbox.claim(inbound(`e${i}`))) say(`e${i}`)
}

/** Talks and votes until it is killed. */
async function talk(run: string): Promise<void> {
  say('opening')
  await using store = await sqlite(path)
  for (let i = 0; ; i++) {
    const id = `${run}-${i}`
    await store.inbox.claim(inbound(`event:${id}`))
    say(`claim ${id}`)
    await store.calls.keep(inbound(`event:${id}`), 0, { name: 'look', arguments: {}, state: 'done', result: id })
    say(`call ${id}`)
    await store.turns.appendUser(userTurn(id, { thread: `web:${id}` }))
    await store.turns.appendBot([botTurn(`a-${id}`, id, { thread: `web:${id}` })], `event:${id}`)
    say(`answer ${id}`)
    await store.inbox.settle(`event:${id}`, 'answered')
    say(`settle ${id}`)
    await store.feedback.vote({ turn: `a-${id}`, person: 'web:anna', verdict: 'up', at: new Date() })
    say(`vote ${id}`)
  }
}
