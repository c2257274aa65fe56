import assert from 'node:assert/strict'
import type { HoneError } from '../../src/errors.ts'
import type { InboundMessage } from '../../src/ports/channel.ts'
import type { BotTurn, Duel, Job, Judged, NewBotTurn, Store, UserTurn } from '../../src/ports/store.ts'

/** 12:00 UTC; minutes are added to it. */
const noon = Date.UTC(2026, 4, 1, 12)
const at = (minute = 0) => new Date(noon + minute * 60_000)

/** A person's turn for tests; the id is also its event's. */
export function userTurn(id: string, change: Partial<UserTurn> = {}): UserTurn {
  const base = { parent: null, tenant: 'web', channel: 'web', thread: 'web:t', role: 'user', at: at() } as const
  return { ...base, id, text: `Question ${id}`, person: 'web:anna', event: `event:${id}`, ...change }
}

/** A reply for tests; replies to one parent have the same prompt. */
export function botTurn(id: string, parent: string | null, change: Partial<NewBotTurn> = {}): NewBotTurn {
  const base = { tenant: 'web', channel: 'web', thread: 'web:t', role: 'assistant', at: at(1) } as const
  const prompt = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: `Question ${parent}` },
  ] as const
  const made = { version: 'v0', profile: 'p1', sources: [], usage: { prompt: 9, evaluated: 4, completion: 2 } }
  return { ...base, ...made, id, parent, text: `Answer ${id}`, prompt, ...change }
}

/** An inbound message for tests. */
export function inbound(id: string, change: Partial<InboundMessage> = {}): InboundMessage {
  const base = { kind: 'message', channel: 'web', tenant: 'web', thread: 'web:t', scopes: ['staff'], at: at() } as const
  return { ...base, id, person: { id: 'web:anna', name: 'Anna' }, text: `Text of ${id}`, ...change }
}

/** A running job for tests. */
export function runningJob(id: string): Job {
  return { id, kind: 'train', state: 'running', by: 'web:anna', startedAt: at(), detail: { plan: { pairs: 3 } } }
}

/** Every judged prompt of a store. */
export async function judgedOf(store: Store, tenant?: string): Promise<readonly Judged[]> {
  return Array.fromAsync(store.feedback.judged(tenant))
}

const code = (expected: HoneError['code']) => (error: HoneError) => error.code === expected

/**
 * What every store must do. `open` answers a new, empty store; the suite disposes it.
 *
 * @example storeContract('SQLite in memory', () => sqlite(':memory:'))
 */
export function storeContract(name: string, open: () => Promise<Store>): void {
  describe(`${name} keeps the contract of a store`, () => {
    let store: Store
    beforeEach(async () => {
      store = await open()
    })
    afterEach(() => store[Symbol.asyncDispose]())
    const current = () => store
    turnsContract(current)
    branchContract(current)
    inboxContract(current)
    feedbackContract(current)
    judgedContract(current)
    forgetContract(current)
    learningContract(current)
  })
}

/** A question and its reply, with the ids `q` and `a`. */
async function dialogue(store: Store): Promise<BotTurn> {
  await store.turns.appendUser(userTurn('q'))
  const [reply] = await store.turns.appendBot([botTurn('a', 'q')], 'event:q')
  return reply as BotTurn
}

function turnsContract(store: () => Store): void {
  it('appends a person’s turn once per event', async () => {
    const turn = userTurn('q')
    assert.deepEqual(await store().turns.appendUser(turn), turn)
    assert.deepEqual(await store().turns.appendUser(userTurn('other', { event: turn.event })), turn)
    assert.equal(await store().turns.get('other'), undefined)
  })
  it('gives back a reply as it was appended, with its sources and its duel', async () => {
    await store().turns.appendUser(userTurn('q'))
    const sources = [{ number: 1, title: 'Leave', document: 'leave.md', text: '30 days', url: 'https://x.test' }]
    const reply = botTurn('a', 'q', { sources, duel: 'd1' })
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
  it('finds a turn by any platform message that carries it', async () => {
    const reply = await dialogue(store())
    const messages = ['m1', 'm2'].map((id) => ({ thread: 'web:t', id }))
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

function branchContract(store: () => Store): void {
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

function inboxContract(store: () => Store): void {
  it('claims an event once, however often and however fast it comes', async () => {
    const claims = await Promise.all(Array.from({ length: 10 }, () => store().inbox.claim(inbound('e1'))))
    assert.equal(claims.filter(Boolean).length, 1)
    await store().inbox.settle('e1', 'ignored')
    assert.equal(await store().inbox.claim(inbound('e1')), false)
  })
  it('gives unsettled events back as they came, oldest first', async () => {
    const retry = { ...inbound('e1'), kind: 'retry', turn: 'a' } as const
    const { text: _, ...event } = retry
    await store().inbox.claim(event)
    await store().inbox.claim(inbound('e0'))
    await store().inbox.claim(inbound('e2'))
    await store().inbox.settle('e2', 'given-up', 'The engine failed three times.')
    assert.deepEqual(await store().inbox.unsettled(), [event, inbound('e0')])
  })
}

function feedbackContract(store: () => Store): void {
  const vote = { turn: 'a', person: 'web:anna', at: at() }

  it('counts the last vote of a person, and repeating it changes nothing', async () => {
    await dialogue(store())
    await store().feedback.vote({ ...vote, verdict: 'down' })
    await store().feedback.vote({ ...vote, verdict: 'up', reason: 'short', at: at(1) })
    await store().feedback.vote({ ...vote, verdict: 'up', at: at(2) })
    await store().feedback.vote({ ...vote, person: 'web:bob', verdict: 'down', at: at(3) })
    const { votes } = await store().feedback.ofTurn('a')
    assert.deepEqual(votes, [
      { ...vote, verdict: 'up', reason: 'short', at: at(1) },
      { ...vote, person: 'web:bob', verdict: 'down', at: at(3) },
    ])
  })
  it('adds a reason that comes after the thumb', async () => {
    await dialogue(store())
    await store().feedback.vote({ ...vote, verdict: 'down' })
    await store().feedback.vote({ ...vote, verdict: 'down', reason: 'outdated', at: at(1) })
    assert.equal((await store().feedback.ofTurn('a')).votes[0]?.reason, 'outdated')
  })
  it('does not count a withdrawn vote', async () => {
    await dialogue(store())
    await store().feedback.vote({ ...vote, verdict: 'up' })
    await store().feedback.vote({ ...vote, verdict: 'none' })
    await store().feedback.vote({ ...vote, verdict: 'none' })
    assert.deepEqual(await store().feedback.ofTurn('a'), { votes: [], corrections: [], duels: [] })
    assert.deepEqual(await store().feedback.counts(), [])
  })
  it('refuses feedback on a turn that does not exist', async () => {
    await assert.rejects(store().feedback.vote({ ...vote, verdict: 'up' }), code('NOT_FOUND'))
    const correction = { id: 'c1', turn: 'a', person: 'web:anna', text: 'Better', at: at() }
    await assert.rejects(store().feedback.correct(correction), code('NOT_FOUND'))
  })
  it('keeps a correction once per id', async () => {
    await dialogue(store())
    const correction = { id: 'c1', turn: 'a', person: 'web:anna', text: 'Better', at: at() }
    await store().feedback.correct(correction)
    await store().feedback.correct(correction)
    assert.deepEqual((await store().feedback.ofTurn('a')).corrections, [correction])
  })
  it('counts votes by day and version', async () => {
    await dialogue(store())
    await store().turns.appendBot([botTurn('b', 'q', { version: 'v1' })], 'event:retry')
    const nextDay = at(12 * 60)
    await store().feedback.vote({ ...vote, verdict: 'up' })
    await store().feedback.vote({ ...vote, person: 'web:bob', verdict: 'up', at: new Date(nextDay.getTime() - 1) })
    await store().feedback.vote({ ...vote, person: 'web:cleo', verdict: 'down', at: nextDay })
    await store().feedback.vote({ ...vote, turn: 'b', verdict: 'down' })
    assert.deepEqual(await store().feedback.counts(), [
      { day: '2026-05-01', version: 'v0', up: 2, down: 0 },
      { day: '2026-05-01', version: 'v1', up: 0, down: 1 },
      { day: '2026-05-02', version: 'v0', up: 0, down: 1 },
    ])
  })
}

function judgedContract(store: () => Store): void {
  const duel: Duel = { id: 'd1', left: 'a', right: 'b', person: 'web:anna', outcome: 'left', at: at() }
  const vote = { person: 'web:anna', verdict: 'up', at: at() } as const

  it('groups replies that were given one prompt under one parent, and no others', async () => {
    await dialogue(store())
    const changed = [{ role: 'user', content: 'Another prompt' }] as const
    await store().turns.appendBot([botTurn('b', 'q'), botTurn('c', 'q', { prompt: changed })], 'event:retry')
    await store().turns.appendUser(userTurn('q2', { thread: 'web:u' }))
    const elsewhere = botTurn('d', 'q2', { thread: 'web:u', prompt: botTurn('a', 'q').prompt })
    await store().turns.appendBot([elsewhere], 'event:q2')
    for (const turn of ['d', 'c', 'b']) await store().feedback.vote({ ...vote, turn })
    const groups = (await judgedOf(store())).map((group) => group.replies.map((reply) => reply.turn.id))
    assert.deepEqual(groups, [['a', 'b'], ['c'], ['d']])
  })
  it('tells a group whole: prompt, place, votes, corrections and the duels between its replies', async () => {
    const reply = await dialogue(store())
    await store().turns.appendBot([botTurn('b', 'q')], 'event:retry')
    await store().turns.appendUser(userTurn('q2', { parent: 'b' }))
    await store().turns.appendBot([botTurn('a2', 'q2')], 'event:q2')
    const correction = { id: 'c1', turn: 'a', person: 'web:bob', text: 'Better', at: at() }
    await store().feedback.vote({ ...vote, turn: 'a' })
    await store().feedback.correct(correction)
    await store().feedback.duel({ ...duel, outcome: 'tie' })
    await store().feedback.duel(duel)
    await store().feedback.duel({ ...duel, id: 'd2', right: 'a2' })
    const [group, ...rest] = await judgedOf(store())
    assert.deepEqual(rest, [])
    assert.deepEqual(group, {
      ...{ tenant: 'web', channel: 'web', thread: 'web:t', promptHash: reply.prompt },
      prompt: botTurn('a', 'q').prompt,
      replies: [
        { turn: reply, votes: [{ ...vote, turn: 'a' }], corrections: [correction] },
        { turn: (await store().turns.get('b')) as BotTurn, votes: [], corrections: [] },
      ],
      duels: [duel],
    })
  })
  it('leaves out what nobody judged and what another tenant judged', async () => {
    await dialogue(store())
    const place = { tenant: 'other', thread: 'slack:u' }
    await store().turns.appendUser(userTurn('q2', place))
    await store().turns.appendBot([botTurn('b', 'q2', place)], 'event:q2')
    assert.deepEqual(await judgedOf(store()), [])
    await store().feedback.vote({ ...vote, turn: 'b' })
    assert.deepEqual(await judgedOf(store(), 'web'), [])
    assert.equal((await judgedOf(store(), 'other')).length, 1)
    assert.equal((await judgedOf(store())).length, 1)
  })
  it('tells more groups than fit a page, each once, oldest first', async () => {
    const names = Array.from({ length: 230 }, (_, i) => `${i}`)
    for (const i of names) {
      await store().turns.appendUser(userTurn(`q${i}`))
      await store().turns.appendBot([botTurn(`a${i}`, `q${i}`)], `event:q${i}`)
      await store().feedback.vote({ ...vote, turn: `a${i}` })
    }
    const seen = (await judgedOf(store())).map((group) => group.replies[0]?.turn.id)
    assert.deepEqual(
      seen,
      names.map((i) => `a${i}`),
    )
  })
}

function forgetContract(store: () => Store): void {
  it('forgets what a person wrote with all below it, and what they said of other turns', async () => {
    await dialogue(store())
    await store().messages.link('a', [{ thread: 'web:t', id: 'm1' }])
    await store().turns.appendUser(userTurn('q2', { parent: 'a', person: 'web:bob' }))
    await store().turns.appendBot([botTurn('a2', 'q2')], 'event:q2')
    await store().turns.appendUser(userTurn('other', { thread: 'web:u', person: 'web:bob' }))
    const shared = botTurn('b', 'other', { thread: 'web:u', prompt: botTurn('a', 'q').prompt })
    const [kept] = await store().turns.appendBot([shared], 'event:other')
    for (const turn of ['a2', 'b']) await store().feedback.vote({ turn, person: 'web:anna', verdict: 'up', at: at() })
    await store().feedback.vote({ turn: 'b', person: 'web:bob', verdict: 'down', at: at() })
    // 4 turns, 1 link, 2 votes, 1 prompt: the other prompt still belongs to Bob's reply.
    assert.equal(await store().feedback.forget('web:anna'), 8)
    for (const turn of ['q', 'a', 'q2', 'a2']) assert.equal(await store().turns.get(turn), undefined)
    assert.equal(await store().messages.find({ thread: 'web:t', id: 'm1' }), undefined)
    assert.equal((await store().feedback.ofTurn('b')).votes.length, 1)
    assert.deepEqual(await store().turns.prompt(kept?.prompt ?? ''), shared.prompt)
    assert.equal(await store().feedback.forget('web:anna'), 0)
  })
  it('never handles a forgotten event again, nor what still waited', async () => {
    await store().inbox.claim(inbound('event:q'))
    await store().feedback.forget('web:anna')
    assert.deepEqual(await store().inbox.unsettled(), [])
    assert.equal(await store().inbox.claim(inbound('event:q')), false)
    await assert.rejects(store().turns.appendUser(userTurn('q')), code('NOT_FOUND'))
    await assert.rejects(store().turns.appendBot([botTurn('a', null)], 'event:q'), code('NOT_FOUND'))
  })
  it('forgets a thread deeper than a thousand turns', async () => {
    let parent: string | null = null
    for (let i = 0; i < 600; i++) {
      await store().turns.appendUser(userTurn(`q${i}`, { parent }))
      await store().turns.appendBot([botTurn(`a${i}`, `q${i}`)], `event:q${i}`)
      parent = `a${i}`
    }
    assert.equal((await store().turns.history('web:t', 5000)).length, 1200)
    assert.equal(await store().feedback.forget('web:anna'), 1800)
  }).timeout(30_000)
}

function learningContract(store: () => Store): void {
  it('runs one job of a kind at a time', async () => {
    const starts = await Promise.allSettled(['j1', 'j2', 'j3'].map((id) => store().jobs.start(runningJob(id))))
    const refused = starts.filter((start) => start.status === 'rejected')
    assert.equal(refused.length, 2)
    assert.ok(refused.every((start) => code('BUSY')(start.reason)))
  })
  it('starts the next job after the first has ended', async () => {
    await store().jobs.start(runningJob('j1'))
    await store().jobs.update('j1', { state: 'failed', endedAt: at(4), detail: { error: 'Out of memory' } })
    await store().jobs.start(runningJob('j2'))
    const ended = { ...runningJob('j1'), state: 'failed', endedAt: at(4), detail: { error: 'Out of memory' } }
    assert.deepEqual(await store().jobs.list(5), [runningJob('j2'), ended])
    assert.deepEqual(await store().jobs.get('j1'), ended)
    assert.equal(await store().jobs.get('j9'), undefined)
    await assert.rejects(store().jobs.update('j9', {}), code('NOT_FOUND'))
  })
  it('serves the bare base until a version is promoted, and logs who said so', async () => {
    assert.equal(await store().serving.current(), 'v0')
    await store().serving.set('v1', 'web:anna', 'promoted by the gate')
    await store().serving.set('v0', 'web:bob', 'rollback')
    assert.equal(await store().serving.current(), 'v0')
    const [last] = await store().serving.log(1)
    assert.deepEqual({ ...last, at: 0 }, { version: 'v0', by: 'web:bob', why: 'rollback', at: 0 })
    assert.equal((await store().serving.log(9)).length, 2)
  })
  it('makes the profile version that was put last the newest', async () => {
    await store().profiles.put('default', 'h1', 'Be brief.')
    await store().profiles.put('default', 'h2', 'Be kind.')
    await store().profiles.put('default', 'h2', 'Be kind.')
    await store().profiles.put('default', 'h1', 'Be brief.')
    assert.deepEqual(
      (await store().profiles.list()).map((profile) => profile.version),
      ['h1', 'h2'],
    )
    assert.deepEqual(await store().profiles.get('h2'), { name: 'default', content: 'Be kind.' })
    assert.equal(await store().profiles.get('h3'), undefined)
  })
}
