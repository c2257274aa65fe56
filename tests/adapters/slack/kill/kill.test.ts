import assert from 'node:assert/strict'
import { survive } from './survive.ts'

/** `npm run bench -- --suite slack` kills fifty times. */
const kills = 3

describe('Slack events at 60 a second to a bot that is killed again and again', () => {
  it(`are answered once, every one that was acknowledged, through ${kills} kills`, async () => {
    const { sent, acknowledged, lost, doubled, half } = await survive(kills)
    assert.deepEqual({ lost, doubled, half }, { lost: [], doubled: [], half: [] })
    // However slow the machine is, some of every life.
    assert.ok(acknowledged > 3 * kills, `${acknowledged} of ${sent}`)
  })
})
