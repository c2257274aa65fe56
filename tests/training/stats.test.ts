import assert from 'node:assert/strict'
import { oneMind, wilson, withoutPadding } from '../../training/stats.ts'

describe('the gate’s statistics', () => {
  it('say with Wilson that nine of twelve is just more than a coin', () => {
    assert.ok(wilson(9, 12)[0] > 0.5)
    assert.ok(wilson(8, 12)[0] < 0.5)
    assert.deepEqual(wilson(0, 0), [0, 1])
  })

  it('take nothing off a win rate without padding, nor where all are padded alike', () => {
    const wins = [1, 1, 0, 0.5]
    assert.equal(withoutPadding(wins, [0, 0, 0, 0]), 0.625)
    assert.equal(withoutPadding(wins, [1, 1, 1, 1]), 0.625)
  })

  it('take off what padding won, and give back what won in spite of it', () => {
    const padding = [1, 1, 1, 1, 0, 0, 0, 0]
    assert.ok(withoutPadding([1, 1, 1, 1, 0, 0, 0, 0], padding) < 0.25)
    assert.ok(withoutPadding([0, 0, 0, 0, 1, 1, 1, 1], padding) > 0.75)
  })

  it('call people of one mind who differ by chance, and of two who vote against each other', () => {
    assert.equal(oneMind([[1, 1], [1, 1], [1]]), 1)
    assert.ok(
      oneMind([
        [1, 1, 0, 1],
        [1, 0, 1, 1],
        [1, 1, 1, 0],
      ]) > 0.5,
    )
    assert.ok(
      oneMind([
        [1, 1, 1, 1],
        [1, 1, 1, 1],
        [0, 0, 0, 0],
      ]) < 0.02,
    )
  })
})
