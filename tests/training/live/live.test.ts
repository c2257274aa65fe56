import assert from 'node:assert/strict'
import { HoneError } from '../../../src/errors.ts'
import { forgetInTraining } from '../../../training/index.ts'
import { inShare } from '../../../training/live/count.ts'
import { canaryOf } from '../../../training/live/log.ts'
import { judge, type LiveHouse, openLive } from './house.ts'

const threads = Array.from({ length: 40 }, (_, n) => `web:t${n}`)
const versionsOf = ({ slot }: LiveHouse) =>
  Promise.all(threads.map((thread) => slot.use(async (e) => e.version.id, thread)))
const whyOf = async ({ store }: LiveHouse) => (await store.serving.log(1))[0]?.why ?? ''
const onDisk = async ({ store }: LiveHouse) => canaryOf(await store.serving.log(9))?.version

describe('a canary', function () {
  this.timeout(300_000)

  it('answers its share of the threads, the same ones each time, while the incumbent is what serves', async () => {
    await using house = await openLive()
    assert.equal(await house.live.serve('v1', 'web:admin', 'gate: promote'), 'canary')
    const versions = await versionsOf(house)
    const expected = threads.map((thread) => (inShare(thread, { version: 'v1', share: 0.5 }) ? 'v1' : 'v0'))
    assert.deepEqual(versions, expected)
    assert.ok(versions.filter((id) => id === 'v1').length > 10 && versions.includes('v0'))
    assert.deepEqual([house.slot.version.id, await house.store.serving.current()], ['v0', 'v0'])
    assert.equal(await whyOf(house), 'canary v1 begins with 50 % of threads: gate: promote')
  })

  it('leaves a conversation that is on to the version that it began with, and does not count it', async () => {
    await using house = await openLive()
    const justNow = new Date(Date.now() - 60_000)
    for (const thread of threads) await house.ask(thread, 'web:anna', undefined, justNow)
    await house.live.serve('v1', 'x', 'gate: promote')
    assert.deepEqual(new Set(await versionsOf(house)), new Set(['v0']))
    for (const thread of threads.slice(0, 9)) await house.ask(thread, `web:p${thread}`, 'up')
    const canary = await house.live.canary()
    assert.deepEqual(canary?.thumbs, { canary: { up: 0, down: 0 }, incumbent: { up: 0, down: 0 } })
  })

  it('is promoted by itself once enough people like it better, with the figures on record', async () => {
    await using house = await openLive()
    await house.live.serve('v1', 'x', 'gate: promote')
    const people = await judge(house, 'canary', 60)
    assert.ok(people < 60, 'nothing was decided')
    assert.deepEqual([house.slot.version.id, await house.store.serving.current()], ['v1', 'v1'])
    assert.match(await whyOf(house), /^canary v1 is promoted: people say it is better\. .* liked by (\d+) of \1 people/)
    assert.equal((await house.store.serving.log(1))[0]?.by, 'canary')
    assert.deepEqual(
      house.news.map(({ kind }) => kind),
      ['begun', 'ended'],
    )
    assert.match((await house.live.became('v1')) ?? '', /^Canary v1 is promoted: people say it is better/)
    assert.equal(await house.live.rollback('web:admin'), 'v0')
  })

  it('is taken back by itself once enough people like it less, and is no good version after that', async () => {
    await using house = await openLive()
    await house.live.serve('v3', 'x', 'gate: promote')
    await judge(house, 'incumbent', 60)
    assert.deepEqual([house.slot.version.id, await house.store.serving.current()], ['v0', 'v0'])
    assert.deepEqual(new Set(await versionsOf(house)), new Set(['v0']))
    assert.match(await whyOf(house), /^canary v3 is rolled back: people say it is worse\./)
    await house.live.promote('v2', 'x')
    await house.store.feedback.forget('web:anna')
    const { serving } = await forget('web:anna', house)
    assert.equal(serving, 'v0')
  })

  it('counts people, not clicks: one person decides nothing, however often they vote', async () => {
    await using house = await openLive()
    await house.live.serve('v1', 'x', 'gate: promote')
    for (const thread of threads) {
      const canary = (await house.slot.versionFor?.(thread))?.id === 'v1'
      await house.ask(thread, 'web:fan', canary ? 'up' : 'down')
    }
    await house.live.look()
    const { thumbs, evidence } = (await house.live.canary()) ?? {}
    assert.deepEqual(thumbs, { canary: { up: 1, down: 0 }, incumbent: { up: 0, down: 1 } })
    assert.ok((evidence?.better ?? 99) < 2)
  })

  it('counts a vote as it stands: turned, withdrawn, and gone with its person', async () => {
    await using house = await openLive({ settings: { share: 0.5 } })
    await house.live.serve('v1', 'x', 'gate: promote')
    const thread = threads.find((one) => inShare(one, { version: 'v1', share: 0.5 })) ?? ''
    for (const person of ['web:anna', 'web:bob']) await house.ask(thread, person, 'up')
    const counted = async () => (await house.live.canary())?.thumbs.canary
    const [turn] = (await house.store.turns.history(thread, 9)).filter(({ role }) => role === 'assistant').slice(-1)
    const vote = { turn: turn?.id ?? '', person: 'web:bob', at: new Date() }
    assert.deepEqual(await counted(), { up: 2, down: 0 })
    await house.store.feedback.vote({ ...vote, verdict: 'down' })
    assert.deepEqual(await counted(), { up: 1, down: 1 })
    await house.store.feedback.vote({ ...vote, verdict: 'none' })
    assert.deepEqual(await counted(), { up: 1, down: 0 })
    await house.store.feedback.forget('web:anna')
    assert.deepEqual(await counted(), { up: 0, down: 0 })
  })

  it('is held when its days or its verdicts are over, then waits for an admin, and is still taken back for harm', async () => {
    await using house = await openLive({ settings: { verdicts: 3 } })
    await house.live.serve('v1', 'x', 'gate: promote')
    for (const n of [0, 1, 2]) await house.ask(`web:h${n}`, `web:h${n}`, 'up')
    await house.live.look()
    assert.match(await whyOf(house), /^canary v1 is held: nothing is decided\./)
    assert.match(house.news.at(-1)?.text ?? '', /`promote v1` or `rollback`\.$/)
    assert.equal(house.live.refusal(), undefined)
    assert.equal(await judge(house, 'canary', 40), 40)
    assert.ok(((await house.live.canary())?.evidence.better ?? 0) > 20)
    await using reborn = await house.again({ verdicts: 500 })
    assert.equal((await reborn.live.canary())?.held, true)
    await judge(reborn, 'incumbent', 400, 'angry')
    assert.match(await whyOf(reborn), /^canary v1 is rolled back: people say it is worse/)
    await reborn.live.serve('v2', 'x', 'gate: promote')
    reborn.later(13.9)
    await reborn.live.look()
    assert.equal((await reborn.live.canary())?.held, false)
    reborn.later(0.2)
    await reborn.live.look()
    assert.equal((await reborn.live.canary())?.held, true)
  })

  it('goes on after a restart with the same threads and the same count, also under another share', async () => {
    await using house = await openLive()
    await house.live.serve('v1', 'x', 'gate: promote')
    await judge(house, 'canary', 6)
    const [versions, canary] = [await versionsOf(house), await house.live.canary()]
    await using reborn = await house.again({ share: 0.1 })
    assert.deepEqual(await versionsOf(reborn), versions)
    assert.deepEqual(await reborn.live.canary(), canary)
    await judge(reborn, 'canary', 60, 'later')
    assert.equal(await reborn.store.serving.current(), 'v1')
  })

  it('is over after a restart with canaries turned off, or without its files', async () => {
    await using house = await openLive()
    await house.live.serve('v1', 'x', 'gate: promote')
    await using off = await house.again({ share: 0 })
    assert.deepEqual([await off.live.canary(), await off.store.serving.current()], [undefined, 'v0'])
    assert.match((await off.live.became('v1')) ?? '', /turned off \(HONE_CANARY\)/)
    await using on = await off.again({ share: 0.5 })
    await on.live.serve('v2', 'x', 'gate: promote')
    await on.registry.discard({ ...(await on.registry.get('v2')), id: 'v2', version: { id: 'v2', base: '' } })
    await using reborn = await on.again()
    assert.deepEqual([await reborn.live.canary(), await onDisk(reborn)], [undefined, undefined])
  })

  it('keeps further training out until it is decided; one that is held gives way to the next', async () => {
    await using house = await openLive({ settings: { days: 1 } })
    await house.live.serve('v1', 'x', 'gate: promote')
    assert.match(house.live.refusal() ?? '', /v1 is a canary/)
    house.later(2)
    await house.live.look()
    assert.equal(house.live.refusal(), undefined)
    await house.live.serve('v2', 'x', 'gate: promote')
    assert.deepEqual([await onDisk(house), (await house.live.canary())?.held], ['v2', false])
    assert.equal(await house.live.became('v1'), 'Canary v1 is over: v2 is the canary now.')
  })

  it('ends where an admin promotes it, takes it back, keeps the incumbent, or promotes another', async () => {
    const ends: Readonly<Record<string, readonly [(house: LiveHouse) => Promise<unknown>, string, RegExp]>> = {
      'promote v1': [({ live }) => live.promote('v1', 'web:admin'), 'v1', /v1 is promoted: command/],
      rollback: [({ live }) => live.rollback('web:admin'), 'v0', /v1 is rolled back: command/],
      'promote v0': [({ live }) => live.promote('v0', 'web:admin'), 'v0', /v1 is rolled back: command/],
      'promote v2': [({ live }) => live.promote('v2', 'web:admin'), 'v2', /v1 is over: v2 was put into service/],
    }
    for (const [name, [end, serves, became]] of Object.entries(ends)) {
      await using house = await openLive()
      await house.live.serve('v1', 'x', 'gate: promote')
      await end(house)
      assert.deepEqual(new Set(await versionsOf(house)), new Set([serves]), name)
      assert.deepEqual([await house.store.serving.current(), await house.live.canary()], [serves, undefined], name)
      assert.match((await house.live.became('v1')) ?? '', became, name)
      assert.equal((await house.store.serving.log(1))[0]?.by, 'web:admin')
      assert.equal(house.news.at(-1)?.kind, 'ended')
    }
  })

  it('is still on, in service as on disk, where its promotion could not be written', async () => {
    await using house = await openLive()
    await house.live.serve('v1', 'x', 'gate: promote')
    const before = await versionsOf(house)
    const { set } = house.store.serving
    const failing = async () => {
      throw new HoneError('STORE', 'The disk is full.')
    }
    Object.assign(house.store.serving, { set: failing })
    await assert.rejects(house.live.promote('v1', 'web:admin'), /The disk is full/)
    Object.assign(house.store.serving, { set })
    assert.deepEqual(await versionsOf(house), before)
    assert.deepEqual([house.slot.version.id, await onDisk(house)], ['v0', 'v1'])
    await house.live.promote('v1', 'web:admin')
    assert.deepEqual(new Set(await versionsOf(house)), new Set(['v1']))
  })

  it('that is held goes on where the next one’s beginning could not be written', async () => {
    await using house = await openLive({ settings: { days: 1 } })
    await house.live.serve('v1', 'x', 'gate: promote')
    house.later(2)
    await house.live.look()
    const before = await versionsOf(house)
    const { set } = house.store.serving
    const failing = async () => {
      throw new HoneError('STORE', 'The disk is full.')
    }
    Object.assign(house.store.serving, { set: failing })
    await assert.rejects(house.live.serve('v2', 'x', 'gate: promote'), /The disk is full/)
    Object.assign(house.store.serving, { set })
    assert.deepEqual(await versionsOf(house), before)
    assert.deepEqual([await onDisk(house), (await house.live.canary())?.version], ['v1', 'v1'])
    await house.live.rollback('web:admin')
    assert.deepEqual([new Set(await versionsOf(house)), await onDisk(house)], [new Set(['v0']), undefined])
  })

  it('ends at once where it learned from somebody who is forgotten, whether or not the loop is up', async () => {
    for (const up of [true, false]) {
      await using house = await openLive()
      await house.live.promote('v1', 'x')
      await house.live.serve('v3', 'x', 'gate: promote')
      assert.deepEqual((await forget('web:zoe', house, up)).versions, ['v3'])
      assert.equal(await onDisk(house), undefined)
      assert.equal(await house.store.serving.current(), 'v1')
      if (up) assert.deepEqual(new Set(await versionsOf(house)), new Set(['v1']))
      await using reborn = await house.again()
      assert.equal(await reborn.live.canary(), undefined)
    }
  })

  it('whose engine fails is stood in for by the incumbent, and taken back when it fails three times in a row', async () => {
    let fails = true
    const answer = ({ id }: { readonly id: string }) => {
      if (id === 'v1' && fails) throw new HoneError('ENGINE_FAILED', 'The process died.')
      return { text: `${id} says so.` }
    }
    await using house = await openLive({ script: { answer } })
    await house.live.serve('v1', 'x', 'gate: promote')
    const thread = threads.find((one) => inShare(one, { version: 'v1', share: 0.5 }))
    const said = () =>
      house.slot.use(async (engine) => {
        let text = ''
        for await (const delta of engine.generate([])) if (delta.kind === 'text') text += delta.text
        return [text, engine.version.id]
      }, thread)
    for (const broken of [true, true, false, true, true]) {
      fails = broken
      const id = broken ? 'v0' : 'v1'
      assert.deepEqual(await said(), [`${id} says so.`, id])
    }
    assert.equal((await house.live.canary())?.version, 'v1')
    await said()
    await house.live.look()
    assert.equal(await house.live.canary(), undefined)
    assert.match(await whyOf(house), /v1 is rolled back: it failed 3 times in a row: The process died\./)
  })

  it('is no canary with a share of 0: what passes the gate serves all at once', async () => {
    await using house = await openLive({ settings: { share: 0 } })
    assert.equal(await house.live.serve('v1', 'x', 'gate: promote'), 'promoted')
    assert.deepEqual([house.slot.version.id, await whyOf(house)], ['v1', 'gate: promote'])
  })
})

function forget(person: string, { store, registry, dir, live }: LiveHouse, up = true) {
  const start = () => Promise.reject(new HoneError('NOT_ENOUGH_DATA', 'Not enough.'))
  const { promote, rollback } = live
  const watch = async function* () {}
  const learning = { cancel: async () => false, start, promote, rollback, watch }
  return forgetInTraining(person, { store, registry, dataDir: dir, ...(up ? { learning } : {}) })
}
