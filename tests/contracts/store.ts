import type { Store } from '../../src/ports/store.ts'
import { callsContract } from './store/calls.ts'
import { feedbackContract, judgedContract } from './store/feedback.ts'
import { forgetContract, inboxContract } from './store/forget.ts'
import { learningContract } from './store/learning.ts'
import { pastContract } from './store/past.ts'
import { trialsContract } from './store/trials.ts'
import { branchContract, turnsContract } from './store/turns.ts'

export { botTurn, inbound, judgedOf, runningJob, userTurn } from './store/samples.ts'

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
    callsContract(current)
    pastContract(current)
    trialsContract(current)
  })
}
