import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { comparisonText } from '../../../src/comparison.ts'
import type { CompareOptions, Comparing, Comparison } from '../../../src/ports/compare.ts'
import type { Learning, RunEvent } from '../../../src/ports/learning.ts'
import type { Job } from '../../../src/ports/store.ts'
import { forgetInTraining } from '../../../training/forget.ts'
import { folderOf } from '../../../training/tenants.ts'
import { noise } from '../../fakes/engine.ts'
import { fill, type House, type HouseOptions, learned, openHouse } from '../house.ts'

/** Questions about near numbers are near. */
const embed = async (texts: readonly string[]) =>
  texts.map((text) => {
    const angle = Number(/\d+/.exec(text)?.[0] ?? 0) / 100
    return new Float32Array([Math.cos(angle), Math.sin(angle)])
  })
const bot = { exampleMessages: async () => 0, learn: async () => 'own' as const, embed: async () => embed }

async function runOnce(learning: Learning, options?: CompareOptions): Promise<{ job: Job; said: readonly string[] }> {
  const events: RunEvent[] = []
  const watching = learning.watch()
  await comparingOf(learning).start('web:anna', options)
  for await (const event of watching) events.push(event)
  const last = events.findLast((event) => event.kind === 'state')
  assert.ok(last)
  return { job: last.job, said: events.flatMap((event) => (event.kind === 'say' ? [event.text] : [])) }
}
function comparingOf({ comparing }: Learning): Comparing {
  assert.ok(comparing)
  return comparing
}
async function lastOf(learning: Learning): Promise<Comparison> {
  const last = await comparingOf(learning).last()
  assert.ok(last)
  return last
}
const row = ({ rows }: Comparison, id: string) => rows.find((one) => one.id === id)

describe('a comparison of techniques', function suite() {
  let house: House | undefined
  const open = async (options: HouseOptions = {}) => {
    house = await openHouse({ ...options, more: { bot, ...(options.more as object) } })
    return house
  }
  afterEach(async () => {
    await house?.[Symbol.asyncDispose]()
    house = undefined
  })

  it('measures every technique that can run, and recommends the one that learned', async () => {
    const { learning } = await open({ pairs: 80 })
    const { job, said } = await runOnce(learning)
    assert.equal(job.state, 'compared', JSON.stringify(job.detail))
    const last = await lastOf(learning)
    const unmeasured = last.rows.filter(({ measured }) => !measured)
    assert.deepEqual(
      unmeasured.map(({ id }) => id),
      [],
    )
    assert.ok((row(last, 'dpo')?.measured?.nearer.value ?? 0) > 0.9)
    assert.equal(row(last, 'base')?.measured?.nearer.value, 0.5)
    assert.equal(row(last, 'no-passages')?.measured?.right.value, 0)
    assert.ok((row(last, 'examples')?.measured?.tokens ?? 0) > 0)
    assert.match(last.advice.row ?? '', /^(sft|dpo|kto|rl|explain|full)$/)
    assert.match(
      comparisonText(last),
      /^technique +nearer to chosen[\s\S]+\nBase +reference[\s\S]+\nFull fine-tuning +/,
    )
    assert.ok(
      said.some((line) => /^DPO \(9 of 14\): trained on pairs\. About \d+ min left\.$/.test(line)),
      said.join('\n'),
    )
  })

  it('trains each method once, on no more rows than the budget allows', async () => {
    const { learning, trainer } = await open()
    await runOnce(learning, { only: ['sft', 'dpo', 'dpo+examples'], rows: 20, epochs: 1 })
    assert.deepEqual(
      trainer.jobs.map(({ method }) => method),
      ['sft', 'dpo'],
    )
    for (const { dataset, hyper } of trainer.jobs) {
      const lines = (await readFile(join(dataset, 'train.jsonl'), 'utf8')).trim().split('\n')
      assert.deepEqual([lines.length, hyper.epochs], [20, 1])
    }
    assert.deepEqual(
      (await lastOf(learning)).rows.map(({ id }) => id),
      ['base', 'sft', 'dpo', 'dpo+examples'],
    )
  })

  it('remembers what it holds out of a tenant’s feedback beside that, and leaves the operator’s alone', async () => {
    const { learning, store, dir } = await open({ apart: true, more: { bot, trainOn: ['web', 'slack'] } })
    await fill(store, 45, 'slack')
    await runOnce(learning, { only: ['base'], tenant: 'web' })
    const operators = await readFile(join(dir, 'held-out.json'), 'utf8')
    await runOnce(learning, { only: ['base'], tenant: 'slack' })
    assert.equal(await readFile(join(dir, 'held-out.json'), 'utf8'), operators)
    const own = await readFile(join(folderOf(dir, 'slack'), 'held-out.json'), 'utf8')
    assert.ok(own !== operators && JSON.parse(own).length > 0)
  })

  it('lets nothing serve and leaves no version, no weights and nothing that anybody said', async () => {
    const { learning, slot, dir, store } = await open()
    const { job } = await runOnce(learning, { only: ['dpo', 'examples'] })
    assert.deepEqual([slot.version.id, slot.swapped, await store.serving.current()], ['v0', [], 'v0'])
    assert.deepEqual(
      (await learning.versions()).map(({ id }) => id),
      ['v0'],
    )
    assert.deepEqual(
      (await readdir(join(dir, 'versions'))).filter((name) => name.startsWith('v')),
      [],
    )
    assert.deepEqual(await readdir(join(dir, 'jobs', job.id)), [])
    const [folder] = await readdir(join(dir, 'compare'))
    const kept = await readdir(join(dir, 'compare', folder ?? ''))
    assert.deepEqual(kept.sort(), ['base.json', 'comparison.json', 'dpo.json', 'examples.json'])
    for (const name of kept)
      assert.doesNotMatch(await readFile(join(dir, 'compare', folder ?? '', name), 'utf8'), /days|anna|handbook/)
  })

  it('goes on with the missing rows after a kill, and measures none twice', async () => {
    const held = Promise.withResolvers<void>()
    const hangs = Promise.withResolvers<void>()
    let dying = true
    const onStep = async (_: number, { method }: { readonly method: string }) => {
      if (!dying || method !== 'dpo') return
      hangs.resolve()
      await held.promise
    }
    const only = ['no-profile', 'sft', 'dpo', 'dpo+examples']
    const { learning, again, trainer, dir, store } = await open({ trainer: { onStep } })
    const first = await comparingOf(learning).start('web:anna', { only })
    await hangs.promise
    dying = false

    await using next = await again()
    assert.equal((await store.jobs.get(first.id))?.state, 'failed')
    const before = await lastOf(next)
    assert.deepEqual(
      before.rows.filter(({ measured }) => measured).map(({ id }) => id),
      ['base', 'no-profile', 'sft'],
    )
    assert.match(before.advice.text, /^So far, with 2 still to be measured: /)
    const plan = await comparingOf(next).plan({ only })
    assert.deepEqual(
      plan.rows.filter(({ done }) => done).map(({ id }) => id),
      ['base', 'no-profile', 'sft'],
    )
    const [folder] = await readdir(join(dir, 'compare'))
    const base = () => readFile(join(dir, 'compare', folder ?? '', 'base.json'), 'utf8')
    const kept = await base()

    const { job, said } = await runOnce(next, { only })
    assert.equal(job.state, 'compared')
    assert.ok((await lastOf(next)).rows.every(({ measured }) => measured))
    assert.deepEqual([await base(), await readdir(join(dir, 'compare'))], [kept, [folder]])
    assert.deepEqual(
      trainer.jobs.map(({ method }) => method),
      ['sft', 'dpo', 'dpo'],
    )
    assert.ok(!said.some((line) => /^(Base|SFT) \(/.test(line)))
    void learning.cancel('test')
    held.resolve()
  })

  it('is there again only for the same feedback and the same budget', async () => {
    const { learning } = await open()
    await runOnce(learning, { only: ['bare'] })
    const done = async (options: CompareOptions) =>
      (await comparingOf(learning).plan({ only: ['bare'], ...options })).rows.every((one) => one.done)
    assert.deepEqual([await done({}), await done({ rows: 30 }), await done({ seed: 7 })], [true, false, false])
  })

  it('adds rows that are asked for later to those that are there', async () => {
    const { learning } = await open()
    await runOnce(learning, { only: ['bare'] })
    await runOnce(learning, { only: ['no-passages', 'full'] })
    const { rows } = await lastOf(learning)
    assert.deepEqual(
      rows.map(({ id, measured }) => [id, measured !== undefined]),
      [
        ['base', true],
        ['bare', true],
        ['no-passages', true],
        ['full', true],
      ],
    )
  })

  it('ends when somebody is forgotten, and no training takes its place', async () => {
    const inside = Promise.withResolvers<void>()
    const onStep = () => {
      inside.resolve()
      return new Promise<void>((resolve) => setImmediate(resolve))
    }
    const { learning, store, registry, dir } = await open({ trainer: { steps: 1e6, onStep } })
    const { id } = await comparingOf(learning).start('web:anna', { only: ['dpo'] })
    await inside.promise
    const forgotten = await forgetInTraining('web:anna', { store, registry, dataDir: dir, learning })
    assert.deepEqual(forgotten.retraining, { none: 'No version had learned from it.' })
    assert.deepEqual([(await store.jobs.get(id))?.state, (await store.jobs.list(5)).length], ['cancelled', 1])
    assert.deepEqual(await readdir(join(dir, 'datasets')), [])
  })

  it('is cancelled as a run is, and keeps what was measured', async () => {
    const { learning, dir } = await open({ trainer: { onStep: () => void learning.cancel('web:anna') } })
    const { job } = await runOnce(learning, { only: ['bare', 'dpo'] })
    assert.equal(job.state, 'cancelled')
    const { rows } = await lastOf(learning)
    assert.deepEqual(
      rows.map(({ measured, why }) => [measured !== undefined, why]),
      [
        [true, undefined],
        [true, undefined],
        [false, undefined],
      ],
    )
    assert.deepEqual(await readdir(join(dir, 'jobs', job.id)).catch(() => []), [])
  })

  it('and a training run are one at a time', async () => {
    const { learning } = await open()
    const watching = learning.watch()
    await comparingOf(learning).start('web:anna', { only: ['bare'] })
    await assert.rejects(learning.start('web:anna'), { code: 'BUSY', message: 'A comparison is on already.' })
    await assert.rejects(comparingOf(learning).start('web:anna'), { code: 'BUSY' })
    for await (const event of watching) assert.ok(event)
  })

  it('goes on past a technique that fails, says why, and tries it again the next time', async () => {
    let broken = true
    const onStep = (_: number, { method }: { readonly method: string }) => {
      if (broken && method === 'kto') throw new Error('the card caught fire')
    }
    const { learning } = await open({ trainer: { onStep } })
    const only = ['sft', 'kto']
    assert.equal((await runOnce(learning, { only })).job.state, 'compared')
    assert.match(row(await lastOf(learning), 'kto')?.why ?? '', /the card caught fire/)
    broken = false
    await runOnce(learning, { only })
    assert.ok(row(await lastOf(learning), 'kto')?.measured)
  })

  it('stops a training whose minutes are over and says how far it came', async () => {
    const onStep = () => new Promise<void>((resolve) => setImmediate(resolve))
    const { learning } = await open({ trainer: { steps: 1e6, onStep } })
    await runOnce(learning, { only: ['dpo'], minutes: 0.002 })
    assert.match(
      row(await lastOf(learning), 'dpo')?.why ?? '',
      /^Its 0\.002 minutes were over (at step \d+ of 1000000|before its first step)/,
    )
  })

  it('compares prompts alone where there is too little to train on', async () => {
    const { learning, trainer } = await open({ pairs: 12 })
    await runOnce(learning)
    const last = await lastOf(learning)
    assert.ok(row(last, 'no-passages')?.measured)
    assert.match(row(last, 'dpo')?.why ?? '', /12 usable pairs, 30 are needed/)
    assert.deepEqual(trainer.jobs, [])
  })

  it('says of weights that ruin the model that they may not be recommended', async () => {
    const score = (...[version, prompt, reply]: Parameters<typeof learned.score>) => {
      const { logProbability, tokens } = learned.score(version, prompt, reply)
      const ruined = version.id !== 'v0' && prompt.length === 0 ? -tokens * (2 + noise(reply)) : 0
      return { logProbability: logProbability + ruined, tokens }
    }
    const { learning } = await open({ pairs: 80, script: { score } })
    await runOnce(learning, { only: ['dpo'] })
    const { advice, rows } = await lastOf(learning)
    assert.equal(advice.row, undefined)
    assert.match(rows[1]?.measured?.fails.join() ?? '', /perplexity of other text/)
  })

  it('can’t start where nothing is held out', async () => {
    const { learning, store } = await open({ pairs: 0 })
    await assert.rejects(comparingOf(learning).start('web:anna'), { code: 'NOT_ENOUGH_DATA' })
    assert.deepEqual(await store.jobs.list(5), [])
    assert.equal(await comparingOf(learning).last(), undefined)
  })

  it('is not there for a loop that knows nothing of its bot', async () => {
    house = await openHouse()
    assert.equal(house.learning.comparing, undefined)
  })
})
