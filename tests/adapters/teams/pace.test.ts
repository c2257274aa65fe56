import assert from 'node:assert/strict'
import { agents, botbuilder } from '../../fakes/teams/hosts.ts'
import { twenty } from './twenty.ts'

for (const [name, open] of Object.entries({ botbuilder, agents })) {
  describe(`twenty chats at once in Teams (${name})`, () => {
    it('stream within Teams’s limits, whole, with few calls', async () => {
      const { faults, broken, calls, seconds } = await twenty(open)
      assert.deepEqual({ faults, broken }, { faults: [], broken: [] })
      assert.ok(Math.max(...calls) <= Math.ceil(seconds / 1.5) + 2, `${Math.max(...calls)} calls in ${seconds} s`)
      assert.ok(Math.min(...calls) >= 3, 'it did stream')
    })
  })
}
