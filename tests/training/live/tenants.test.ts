import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TrainOptions } from '../../../src/ports/learning.ts'
import { inShare } from '../../../training/live/count.ts'
import { fill, type House, openHouse } from '../house.ts'

const trainOn = ['web', 'slack', 'teams']
const live = { share: 0.5, days: 14, verdicts: 500 }
const threads = Array.from({ length: 30 }, (_, n) => `t${n}`)

async function train({ learning }: House, options: TrainOptions): Promise<string | undefined> {
  const watching = Array.fromAsync(learning.watch())
  await learning.start('somebody', options)
  const last = (await watching).findLast((event) => event.kind === 'state')
  return last?.job.state
}

/** The versions that answer a tenant's threads, and what is said beforehand to answer them. */
async function answering({ slot }: House, tenant: string): Promise<readonly string[]> {
  const own = await slot.of?.(tenant)
  const asked = threads.map(async (thread) => {
    const used = await own?.use(
      async (engine, rival) => [engine.version.id, rival ? ' in a trial' : ''].join(''),
      thread,
    )
    assert.ok(used?.startsWith((await own?.versionFor?.(thread))?.id ?? '?'))
    return used ?? ''
  })
  return [...new Set(await Promise.all(asked))].sort()
}

/** Somebody of a tenant likes a new reply of a version, in a thread that the canary doesn't answer. */
async function likeNew({ store }: House, tenant: string, version: string): Promise<void> {
  const thread = threads.map((one) => `${tenant}:${one}`).find((one) => !inShare(one, { version: 'v1', share: 0.5 }))
  const place = { tenant, channel: tenant, thread: thread as string, at: new Date() }
  const [id, event, person] = [`new-${tenant}`, `event-${tenant}`, `${tenant}:zoe`]
  await store.turns.appendUser({ ...place, id: `asked-${id}`, parent: null, role: 'user', text: 'Hi', person, event })
  const usage = { prompt: 1, evaluated: 1, completion: 1 }
  const reply = { ...place, id, parent: `asked-${id}`, role: 'assistant', text: 'Hi.', version, usage } as const
  await store.turns.appendBot(
    [{ ...reply, profile: 'p', sources: [], prompt: [{ role: 'user', content: 'Hi' }] }],
    event,
  )
  await store.feedback.vote({ turn: id, person, verdict: 'up', at: new Date() })
}

describe('a canary where tenants learn apart', function () {
  this.timeout(300_000)

  it('answers those without a version of their own, and nothing that tenants do touches it', async () => {
    const promoted: unknown[] = []
    const onPromoted = (...one: unknown[]) => void promoted.push(one)
    const more = { trainOn, live, keepModels: 0, onPromoted }
    await using house = await openHouse({ apart: true, canaries: true, pairs: 40, more })
    const { learning, store, registry } = house
    await fill(store, 45, 'slack')
    const canaryOf = async (tenant?: string) => (await learning.versions(tenant)).find((one) => one.canary)?.id
    assert.equal(await train(house, { tenant: 'web', method: 'full' }), 'canary')
    const both = ['v0 in a trial', 'v1 in a trial']
    assert.deepEqual([await answering(house, 'web'), await answering(house, 'teams')], [both, both])
    assert.equal(await train(house, { tenant: 'slack', method: 'full' }), 'promoted')
    assert.deepEqual(await answering(house, 'slack'), ['v2'])
    // Chosen, it stays the tenant's own, though it is what serves the operator.
    await learning.promote('v0', 'x', 'teams')
    assert.deepEqual(await answering(house, 'teams'), ['v0'])
    assert.deepEqual(
      [await canaryOf('web'), await canaryOf(), await canaryOf('slack'), await canaryOf('teams')],
      ['v1', 'v1', undefined, undefined],
    )
    // What people say there of the incumbent says nothing of the canary, which they never meet.
    for (const tenant of ['teams', 'discord']) await likeNew(house, tenant, 'v0')
    const { thumbs } = (await learning.live?.canary()) ?? {}
    assert.deepEqual(thumbs, { canary: { up: 0, down: 0 }, incumbent: { up: 1, down: 0 } })
    assert.equal(await learning.rollback('x', 'slack'), 'v0')
    assert.deepEqual(await answering(house, 'slack'), both)
    await learning.promote('v2', 'x', 'slack')
    assert.match((await learning.plan({ tenant: 'web' })).refusal ?? '', /^v1 is a canary/)
    assert.equal((await learning.plan({ tenant: 'slack' })).refusal, undefined)
    assert.equal((await learning.live?.canary())?.version, 'v1')
    assert.ok((await registry.list()).every(({ manifest }) => !manifest.model?.pruned))
    assert.deepEqual(promoted, [
      ['v2', 'slack'],
      ['v2', 'slack'],
    ])
    await learning.promote('v1', 'x', 'web')
    assert.deepEqual(promoted.at(-1), ['v1', ''])
  })

  it('does not outlive the day on which they begin to: it learned from all of them', async () => {
    const more = { trainOn, live, policy: { pooled: true } }
    await using house = await openHouse({ apart: true, canaries: true, pairs: 40, more })
    assert.equal(await train(house, { tenant: 'web' }), 'canary')
    await house.learning[Symbol.asyncDispose]()
    const path = join((await house.registry.get('v1')).folder, 'manifest.json')
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), pooled: true }))
    await using again = await house.again()
    assert.equal(await again.live?.canary(), undefined)
    assert.match(
      (await house.store.serving.log(1))[0]?.why ?? '',
      /^canary v1 is rolled back: it learned from several tenants/,
    )
    assert.deepEqual(await answering(house, 'teams'), ['v0'])
  })
})
