import assert from 'node:assert/strict'
import fc from 'fast-check'
import { actions, encodeControl, parseControl } from '../../../adapters/shared/control.ts'
import { newId } from '../../../src/id.ts'

describe('the ids of buttons', () => {
  it('say the action and what it is about', () => {
    for (const action of actions) {
      const id = `${newId('b')}.${newId('b')}`
      assert.deepEqual(parseControl(encodeControl({ action, id })), { action, id })
    }
  })

  it('fit into what every platform allows, or are refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(...actions), fc.string({ minLength: 1, maxLength: 200 }), (action, id) => {
        let text: string
        try {
          text = encodeControl({ action, id })
        } catch {
          return
        }
        assert.ok(text.length <= 100)
        assert.deepEqual(parseControl(text), { action, id })
      }),
    )
  })

  it('are nothing when they are not ours', () => {
    for (const text of [
      '',
      'hone:up:',
      'hone:burn:b_1',
      'other:up:b_1',
      `hone:up:${'x'.repeat(100)}`,
      'hone:up:a b',
      null,
    ])
      assert.equal(parseControl(text), undefined)
  })
})
