import assert from 'node:assert/strict'
import { evaluate } from '../../training/index.ts'
import { fill, type House, openHouse } from './house.ts'

describe('the evaluation of a version', () => {
  let house: House
  beforeEach(async () => {
    house = await openHouse()
  })
  afterEach(() => house[Symbol.asyncDispose]())

  const run = (version?: string) => {
    const { store, slot, registry } = house
    const options = { store, slot, registry, base: slot.version.base, trainOn: ['web'], golden: [] }
    return evaluate(version, { ...options, signal: new AbortController().signal, say: () => {} })
  }

  it('measures the newest version on the pairs that it was not trained on, new ones too', async () => {
    await house.learning.start('web:anna')
    for await (const _ of house.learning.watch());
    const first = await run()
    const n = (report: (typeof first)['report']) => report.checks.find(({ id }) => id === 'evidence')?.value ?? 0
    assert.equal(first.version, 'v1')
    assert.equal(first.report.verdict, 'promote')
    assert.ok(n(first.report) > 0 && n(first.report) < 60)
    await fill(house.store, 70)
    assert.equal(n((await run('v1')).report), n(first.report) + 10)
  })

  it('says that there is no version', async () => {
    await assert.rejects(run(), { code: 'NOT_FOUND', message: /no trained version yet/ })
    await assert.rejects(run('v7'), { code: 'NOT_FOUND', message: /There is no version v7/ })
  })
})
