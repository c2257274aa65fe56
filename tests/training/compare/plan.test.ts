import assert from 'node:assert/strict'
import { comparePlanText } from '../../../src/comparison.ts'
import { methods } from '../../../src/ports/trainer.ts'
import {
  askedFor,
  budgetOf,
  hasWhat,
  planComparison,
  type Situation,
  withinBudget,
} from '../../../training/compare/plan.ts'
import { techniques } from '../../../training/compare/techniques.ts'
import type { Selection } from '../../../training/select.ts'
import { loneRow, pairRows, user } from '../rows.ts'

const each = Object.fromEntries(methods.map((method) => [method, { seconds: 90 }])) as Situation['methods']
const situation: Situation = {
  heldOut: 12,
  has: { profile: true, passages: true },
  methods: each,
  done: new Set(),
}
const planned = (more: Partial<Situation> = {}, minutes = 30) =>
  planComparison(techniques, budgetOf({ minutes }), { ...situation, ...more })
const whyOf = (id: string, more: Partial<Situation>) => planned(more).rows.find((row) => row.id === id)?.why

describe('the plan of a comparison', () => {
  it('has every technique, and says of those that can’t run here why', () => {
    assert.deepEqual(
      planned().rows.filter(({ why }) => why !== undefined),
      [],
    )
    for (const id of ['dpo', 'dpo+examples'])
      assert.equal(whyOf(id, { methods: { ...each, dpo: { seconds: 0, why: '3 usable pairs.' } } }), '3 usable pairs.')
    for (const id of ['examples', 'sft+examples'])
      assert.equal(whyOf(id, { noExamples: 'No embedder.' }), 'No embedder.')
    assert.match(whyOf('no-passages', { has: { profile: true, passages: false } }) ?? '', /no passages to take away/)
    assert.match(
      whyOf('no-profile', { has: { profile: false, passages: true } }) ?? '',
      /no hidden prompts to take away/,
    )
  })

  it('counts each method once, never above the budget, and nothing that is done', () => {
    const whole = planned().secondsGuess
    assert.equal(whole, 14 * 20 + 6 * 90)
    assert.equal(planned({}, 1).secondsGuess, 14 * 20 + 6 * 60)
    const done = new Set(techniques.filter(({ method }) => method !== 'rl').map(({ id }) => id))
    assert.equal(planned({ done }).secondsGuess, 20 + 90)
    assert.match(
      comparePlanText(planned({ done })),
      /To measure: Reward model \+ RL\.\nMeasured already: Base, Model alone/,
    )
  })

  it('refuses where nothing is held out', () => {
    assert.match(planned({ heldOut: 0 }).refusal ?? '', /Nothing is held out yet/)
  })

  it('always has the base among what was asked for, and knows no other techniques', () => {
    assert.deepEqual(
      askedFor(['kto'], techniques).map(({ id }) => id),
      ['base', 'kto'],
    )
    assert.throws(() => askedFor(['magic'], techniques), { code: 'INPUT', message: /"magic"; there are base, bare/ })
  })

  it('refuses a budget that can’t be meant', () => {
    assert.throws(() => budgetOf({ minutes: 0 }), { code: 'INPUT', message: /minutes/ })
    assert.throws(() => budgetOf({ rows: 1.5 }), { code: 'INPUT', message: /rows/ })
    assert.deepEqual(budgetOf({ rows: 40 }), { minutes: 30, seed: 42, rows: 40 })
  })

  it('gives every technique the newest rows and no more than the budget, pairs first', () => {
    const selection = {
      method: 'kto',
      train: pairRows(5),
      unpaired: [1, 2, 3].map((n) => loneRow(n)),
    } as unknown as Selection
    const ids = ({ train, unpaired }: Selection) => [train.map(({ id }) => id), unpaired.map(({ id }) => id)]
    assert.deepEqual(ids(withinBudget(selection, budgetOf({ rows: 6 }))), [
      ['pair_0', 'pair_1', 'pair_2', 'pair_3', 'pair_4'],
      ['one_3'],
    ])
    assert.deepEqual(ids(withinBudget(selection, budgetOf({ rows: 2 }))), [['pair_3', 'pair_4'], []])
  })

  it('sees whether there is a profile and whether there are passages to take away', () => {
    const held = (prompt: ReturnType<typeof user>) =>
      hasWhat({ heldOut: pairRows(1, () => ({ prompt })) } as unknown as Selection)
    assert.deepEqual(held(user('Hello?')), { profile: false, passages: false })
    assert.deepEqual(held(user('<facts>\nplan: gold\n</facts>\n\n[1] Page\nText.\n\nHello?')), {
      profile: true,
      passages: true,
    })
  })
})
