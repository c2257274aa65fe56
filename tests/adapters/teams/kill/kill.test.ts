import assert from 'node:assert/strict'
import { surviveOnTeams } from './survive.ts'

/** `npm run bench -- --suite teams` kills fifty times. */
const kills = 3

for (const sdk of ['botbuilder', 'agents'] as const) {
  describe(`Teams messages to a bot that is killed again and again (${sdk})`, () => {
    it(`are answered once, every one that was acknowledged, through ${kills} kills`, async () => {
      const { sent, acknowledged, lost, doubled, doubledInGroups } = await surviveOnTeams(kills, sdk)
      assert.deepEqual({ lost, doubled, doubledInGroups }, { lost: [], doubled: [], doubledInGroups: [] })
      assert.ok(acknowledged > kills, `${acknowledged} of ${sent}`)
    })
  })
}
