import assert from 'node:assert/strict'
import { survive } from '../../bench/kill/survive.ts'

const KILLS = 12

describe('A conversation whose process is killed again and again', () => {
  it(`has lost and doubled nothing that was acknowledged, after ${KILLS} kills`, async () => {
    const seed = Date.now() % 1_000_000
    const { lost, doubled, broken, ledger } = await survive(KILLS, seed, () => {})
    const found = { lost, doubled, broken, refused: ledger.refused }
    assert.deepEqual(found, { lost: [], doubled: [], broken: [], refused: [] }, `seed ${seed}`)
    assert.ok(ledger.events.size > 20, `seed ${seed}: only ${ledger.events.size} events were acknowledged`)
  }).timeout(300_000)
})
