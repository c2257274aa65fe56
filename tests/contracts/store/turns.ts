import assert from 'node:assert/strict'
import type { Store } from '../../../src/ports/store.ts'
import { at, botTurn, code, dialogue, inbound, userTurn } from './samples.ts'

/** Appending, finding and linking turns. */
export function turnsContract(store: () => Store): void {
  it('appends a person’s turn once per event', async () => {
    const turn = userTurn('q', { scopes: ['staff'] })
    assert.deepEqual(await store().turns.appendUser(turn), turn)
    assert.deepEqual(await store().turns.appendUser(userTurn('other', { event: turn.event })), turn)
    assert.equal(await store().turns.get('other'), undefined)
  })
  it('gives back a reply as it was appended, with its sources and its duel', async () => {
    await store().turns.appendUser(userTurn('q'))
    const sources = [{ number: 1, title: 'Leave', document: 'leave.md', text: '30 days', url: 'https://x.test' }]
    const examples = [{ id: 'c1', turn: 'x', people: ['web:anna'], at: 1 }]
    const reply = botTurn('a', 'q', { sources, examples, duel: 'd1' })
    const [appended] = await store().turns.appendBot([reply], 'event:q')
    assert.deepEqual(appended, { ...reply, prompt: appended?.prompt })
    assert.deepEqual(await store().turns.get('a'), appended)
  })
  it('keeps one compiled prompt for all the replies that were given it', async () => {
    await store().turns.appendUser(userTurn('q'))
    const [a, b] = await store().turns.appendBot([botTurn('a', 'q'), botTurn('b', 'q')], 'event:q')
    assert.match(a?.prompt ?? '', /^[0-9a-f]{64}$/)
    assert.equal(a?.prompt, b?.prompt)
    assert.deepEqual(await store().turns.prompt(a?.prompt ?? ''), botTurn('a', 'q').prompt)
  })
  it('says NOT_FOUND for a prompt that it never kept', async () => {
    await assert.rejects(store().turns.prompt('0'.repeat(64)), code('NOT_FOUND'))
  })
  it('keeps all replies to an event or none', async () => {
    await store().inbox.claim(inbound('event:q'))
    await store().turns.appendUser(userTurn('q'))
    const replies = [botTurn('a', 'q'), botTurn('lost', 'no such turn')]
    await assert.rejects(store().turns.appendBot(replies, 'event:q'), code('NOT_FOUND'))
    assert.equal(await store().turns.get('a'), undefined)
    assert.deepEqual(await store().turns.answers('event:q'), [])
  })
  it('finds the replies to an event that was answered but not settled', async () => {
    await store().inbox.claim(inbound('event:q'))
    await store().turns.appendUser(userTurn('q'))
    const kept = await store().turns.appendBot([botTurn('a', 'q'), botTurn('b', 'q')], 'event:q')
    assert.equal((await store().inbox.unsettled()).length, 1)
    assert.deepEqual(await store().turns.answers('event:q'), kept)
    await store().inbox.settle('event:q', 'answered')
    assert.deepEqual(await store().inbox.unsettled(), [])
  })
  it('lets the first answer to an event stand', async () => {
    await store().inbox.claim(inbound('event:q'))
    await store().turns.appendUser(userTurn('q'))
    const first = await store().turns.appendBot([botTurn('a', 'q')], 'event:q')
    assert.deepEqual(await store().turns.appendBot([botTurn('again', 'q')], 'event:q'), first)
    assert.equal(await store().turns.get('again'), undefined)
  })
  it('keeps a question together with its answer, both or neither', async () => {
    await store().inbox.claim(inbound('event:q'))
    const lost = [botTurn('a', 'q', { duel: 'd' }), botTurn('a', 'q', { duel: 'd' })]
    await assert.rejects(store().turns.appendBot(lost, 'event:q', userTurn('q')))
    assert.equal(await store().turns.get('q'), undefined)
    const [kept] = await store().turns.appendBot([botTurn('a', 'q')], 'event:q', userTurn('q'))
    assert.deepEqual([kept?.parent, (await store().turns.get('q'))?.role], ['q', 'user'])
  })
  it('answers under the question that the event has already', async () => {
    await store().turns.appendUser(userTurn('q'))
    const again = userTurn('again', { event: userTurn('q').event })
    const [kept] = await store().turns.appendBot([botTurn('a', 'again')], again.event, again)
    assert.equal(kept?.parent, 'q')
    assert.equal(await store().turns.get('again'), undefined)
  })
  it('lets a write that fails take no other with it', async () => {
    const good = ['q1', 'q2', 'q3'].map((id) => store().turns.appendUser(userTurn(id)))
    const bad = store().turns.appendUser(userTurn('q4', { parent: 'no such turn' }))
    await assert.rejects(bad, code('NOT_FOUND'))
    assert.equal((await Promise.all(good)).length, 3)
    assert.equal((await store().turns.get('q2'))?.id, 'q2')
    assert.equal(await store().turns.get('q4'), undefined)
  })
  it('finds a turn by any platform message that carries it', async () => {
    const reply = await dialogue(store())
    const messages = ['m1', 'm2', 'm1'].map((id) => ({ thread: 'web:t', id }))
    await store().messages.link('a', messages)
    await store().messages.link('a', messages)
    for (const message of messages) assert.deepEqual(await store().messages.find(message), reply)
    assert.equal(await store().messages.find({ thread: 'web:other', id: 'm1' }), undefined)
  })
  it('follows a platform message that was edited to carry a newer turn', async () => {
    await dialogue(store())
    await store().turns.appendBot([botTurn('b', 'q')], 'event:retry')
    await store().messages.link('a', [{ thread: 'web:t', id: 'm1' }])
    await store().messages.link('b', [{ thread: 'web:t', id: 'm1' }])
    assert.equal((await store().messages.find({ thread: 'web:t', id: 'm1' }))?.id, 'b')
  })
  it('replaces what no database can hold, and keeps every other character', async () => {
    const text = 'emoji 🦉, quotes \'"`, {{name}}, <|im_end|>, \u202e, newline\n and tab\t'
    const turn = await store().turns.appendUser(userTurn('q', { text: `${text}\0\uD800` }))
    assert.equal(turn.text, `${text}\uFFFD\uFFFD`)
    assert.deepEqual(await store().turns.get('q'), turn)
  })
  it('keeps a message of one megabyte whole', async () => {
    const text = 'ä'.repeat(1 << 20)
    await store().turns.appendUser(userTurn('q', { text }))
    assert.equal((await store().turns.get('q'))?.text, text)
  })
  it('appends fifty turns at once without losing one', async () => {
    await dialogue(store())
    const numbers = Array.from({ length: 50 }, (_, i) => i)
    await Promise.all(
      numbers.map(async (i) => {
        await store().turns.appendUser(userTurn(`q${i}`, { thread: `web:${i}`, at: at(i) }))
        const reply = botTurn(`a${i}`, `q${i}`, { thread: `web:${i}`, at: at(i) })
        await store().turns.appendBot([reply], `event:q${i}`)
      }),
    )
    for (const i of numbers) assert.equal((await store().turns.history(`web:${i}`, 9)).length, 2)
  })
}

/** Reading branches and lists of threads. */
export function branchContract(store: () => Store): void {
  const ids = async (limit: number) => (await store().turns.history('web:t', limit)).map((turn) => turn.id)

  it('tells the newest branch oldest first and leaves replaced replies out', async () => {
    await dialogue(store())
    await store().turns.appendBot([botTurn('retry', 'q', { at: at(2) })], 'event:retry')
    assert.deepEqual(await ids(9), ['q', 'retry'])
    await store().turns.appendUser(userTurn('q2', { parent: 'retry', at: at(3) }))
    assert.deepEqual(await ids(9), ['q', 'retry', 'q2'])
    assert.deepEqual(await ids(2), ['retry', 'q2'])
    assert.deepEqual(await ids(0), [])
  })
  it('takes the turn that was appended last when two have the same time', async () => {
    await store().turns.appendUser(userTurn('z'))
    await store().turns.appendUser(userTurn('b'))
    assert.deepEqual(await ids(9), ['b'])
  })
  it('never follows a parent into another thread', async () => {
    await store().turns.appendUser(userTurn('secret', { thread: 'web:other', tenant: 'other' }))
    await store().turns.appendUser(userTurn('q', { parent: 'secret' }))
    assert.deepEqual(await ids(9), ['q'])
  })
  it('knows no history of an unknown thread', async () => {
    assert.deepEqual(await ids(9), [])
  })
  it('knows who wrote in a thread', async () => {
    await dialogue(store())
    assert.equal(await store().turns.wroteIn('web:t', 'web:anna'), true)
    assert.equal(await store().turns.wroteIn('web:t', 'web:bob'), false)
    assert.equal(await store().turns.wroteIn('web:u', 'web:anna'), false)
  })
  it('lists the threads of a person newest first, by their first words', async () => {
    await store().turns.appendUser(userTurn('q', { text: '  How\nmany days? ' }))
    await store().turns.appendUser(userTurn('r', { thread: 'web:u', text: 'x'.repeat(99), at: at(5) }))
    await store().turns.appendUser(userTurn('s', { parent: 'q', person: 'web:bob', text: 'Me too', at: at(9) }))
    await store().turns.appendUser(userTurn('t', { thread: 'web:v', tenant: 'other', text: 'Elsewhere' }))
    const listed = await store().turns.threads('web', 'web:anna', 5)
    assert.deepEqual(listed, [
      { thread: 'web:t', title: 'How many days?', at: at(9) },
      { thread: 'web:u', title: `${'x'.repeat(79)}…`, at: at(5) },
    ])
    assert.deepEqual(await store().turns.threads('web', 'web:anna', 1), listed.slice(0, 1))
    assert.deepEqual(await store().turns.threads('web', 'web:nobody', 5), [])
  })
}
