import assert from 'node:assert/strict'
import { refusedBlocks, refusedView } from '../../fakes/slack/blocks.ts'
import { homeFixture, messageFixtures, modalFixture, taskFixture } from '../../fixtures/slack/blocks.ts'
import { home, messages, modal, task } from './samples.ts'

const one = { times: 1 }
const many = { times: 400 }
const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

describe('what Hone sends to Slack', () => {
  for (const [kind, blocks] of Object.entries(messages(one))) {
    it(`is, for ${kind}, what the fixture holds, within Slack’s limits however much there is`, () => {
      assert.deepEqual(plain(blocks), messageFixtures[kind as keyof typeof messageFixtures])
      assert.deepEqual(refusedBlocks(plain(blocks)), [])
      assert.deepEqual(refusedBlocks(plain(messages(many)[kind])), [])
    })
  }

  for (const [kind, make, fixture] of [
    ['the modal', modal, modalFixture],
    ['App Home', home, homeFixture],
  ] as const) {
    it(`is, for ${kind}, what the fixture holds, within Slack’s limits however much there is`, () => {
      assert.deepEqual(plain(make(one)), fixture)
      assert.deepEqual(refusedView(plain(make(one))), [])
      assert.deepEqual(refusedView(plain(make(many))), [])
    })
  }

  it('is, for a task card, what the fixture holds, within its limits', () => {
    assert.deepEqual(plain(task(one)), taskFixture)
    const { details = '', sources = [] } = plain(task(many))
    assert.ok(details.length <= 256 && sources.length <= 10)
  })

  it('has a fixture for every kind of message', () => {
    assert.deepEqual(Object.keys(messages(one)), Object.keys(messageFixtures))
  })

  it('would be refused where it is longer than Slack allows', () => {
    const text = { type: 'plain_text', text: 'x'.repeat(301) }
    const title = { type: 'plain_text', text: 'Sure?' }
    const confirm = { title, text, confirm: title, deny: title }
    const button = { type: 'button', text: title, confirm }
    assert.equal(refusedBlocks([{ type: 'actions', elements: [button] }]).length, 1)
    const options = [{ text: { ...title, text: 'x'.repeat(76) }, value: 'v' }]
    const input = { type: 'input', label: title, element: { type: 'radio_buttons', options } }
    assert.equal(refusedBlocks([input]).length, 1)
  })
})
