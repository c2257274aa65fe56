import assert from 'node:assert/strict'
import { applyPolicy, defaultPolicy } from '../../training/policy.ts'
import { loneRow, pairRow, pairRows } from './rows.ts'

describe('the policy on training data', () => {
  it('uses only channels that the operator named', () => {
    const { kept, leftOut } = applyPolicy([pairRow(1), pairRow(2, { channel: 'slack' })], defaultPolicy)
    assert.deepEqual([kept.length, leftOut], [1, { 'channel not allowed': 1 }])
    const opened = { ...defaultPolicy, trainOn: ['slack'] }
    assert.equal(applyPolicy([pairRow(2, { channel: 'slack' })], opened).kept.length, 1)
  })

  it('uses Slack, Teams and Discord only after they were named', () => {
    for (const channel of ['slack', 'teams', 'discord']) {
      assert.equal(applyPolicy([pairRow(1, { channel })], defaultPolicy).kept.length, 0)
    }
  })

  it('can be kept to one tenant', () => {
    const rows = [pairRow(1), pairRow(2, { tenant: 'T042' })]
    const { kept, leftOut } = applyPolicy(rows, { ...defaultPolicy, tenant: 'web' })
    assert.deepEqual([kept.map(({ id }) => id), leftOut], [['pair_1'], { 'other tenant': 1 }])
  })

  it("never mixes two workspaces in one LoRA; the operator's own tenants and one workspace may be together", () => {
    const opened = { ...defaultPolicy, trainOn: ['web', 'slack'] }
    const slack = (n: number, tenant: string) => pairRow(n, { channel: 'slack', tenant })
    const one = applyPolicy([pairRow(1), slack(2, 'T1'), slack(3, 'T1')], opened)
    assert.equal(one.kept.length, 3)
    const two = applyPolicy([pairRow(1), slack(2, 'T1'), slack(3, 'T2')], opened)
    assert.deepEqual([two.kept.map(({ id }) => id), two.leftOut], [['pair_1'], { 'several tenants': 2 }])
    assert.equal(applyPolicy([slack(2, 'T1'), slack(3, 'T2')], { ...opened, tenant: 'T2' }).kept.length, 1)
  })

  it('drops rows with a secret in any text, and counts them', () => {
    const rows = [
      pairRow(1, { chosen: 'The key is AKIAIOSFODNN7EXAMPLE.' }),
      pairRow(2, { rejected: 'password: hunter2-hunter2' }),
      pairRow(3, { prompt: [{ role: 'user', content: 'My card is 4111 1111 1111 1111, why was it refused?' }] }),
      pairRow(4, { chosen: 'Write to desk@example.org or call 030 1234567.' }),
    ]
    const { kept, leftOut } = applyPolicy(rows, defaultPolicy)
    assert.deepEqual([kept.map(({ id }) => id), leftOut], [['pair_4'], { secret: 3 }])
  })

  it('keeps one of equal rows, and neither of two that contradict each other', () => {
    const [good, again] = [pairRow(1), pairRow(1, { id: 'again' })]
    const opposite = pairRow(2, { chosen: 'No idea.', rejected: 'Answer' })
    const rows = [good, again, opposite, pairRow(2, { chosen: 'Answer', rejected: 'No idea.' })]
    const { kept, leftOut } = applyPolicy(rows, defaultPolicy)
    assert.deepEqual([kept.length, leftOut], [1, { contradicted: 2, duplicate: 1 }])
  })

  it('caps what one person decides, once three people gave feedback', () => {
    const rows = pairRows(60, (n) => ({ people: [n < 50 ? 'web:anna' : n < 55 ? 'web:bob' : 'web:cleo'] }))
    const { kept, leftOut } = applyPolicy(rows, defaultPolicy)
    assert.deepEqual([kept.length, leftOut], [30, { 'cap per person': 30 }])
    assert.equal(kept.filter(({ people }) => people.includes('web:anna')).length, 20)
  })

  it('keeps the newest rows of a person over the cap, in the order of time', () => {
    const rows = pairRows(60, (n) => ({ people: [n < 50 ? 'web:anna' : n < 55 ? 'web:bob' : 'web:cleo'] }))
    const numbers = applyPolicy(rows, defaultPolicy).kept.map(({ id }) => Number(id.slice(5)))
    assert.deepEqual(
      numbers,
      Array.from({ length: 30 }, (_, i) => 30 + i),
    )
  })

  it("lets a machine of one's own train: with fewer than three people there is no cap, and it says so", () => {
    const { kept, leftOut, notes } = applyPolicy(pairRows(60), defaultPolicy)
    assert.deepEqual([kept.length, leftOut], [60, {}])
    assert.match(notes.join(), /cap per person is off/)
  })

  it("does not cap what the operator imported: that is nobody's vote", () => {
    const imported = pairRows(90, () => ({ channel: 'import', people: ['import'] })).slice(10)
    const voted = pairRows(6, (n) => ({ people: [`web:p${n % 3}`] }))
    assert.deepEqual(applyPolicy([...imported, ...voted], defaultPolicy).leftOut, {})
  })

  it('takes at most six rows from one prompt', () => {
    const rows = pairRows(9, (n) => ({ promptHash: 'same', chosen: `Answer ${n}` }))
    assert.deepEqual(applyPolicy(rows, defaultPolicy).leftOut, { 'too many of a prompt': 3 })
  })

  it('treats lone thumbs by the same rules', () => {
    const rows = [loneRow(1), loneRow(2, { channel: 'teams' }), loneRow(3, { text: 'x', liked: true })]
    const both = [...rows, loneRow(3, { text: 'x', liked: false })]
    const { kept, leftOut } = applyPolicy(both, defaultPolicy)
    assert.deepEqual([kept.length, leftOut], [1, { 'channel not allowed': 1, contradicted: 2 }])
  })
})
