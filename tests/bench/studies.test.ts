import assert from 'node:assert/strict'
import { inTurn } from '../../bench/judged.ts'
import { type CellResult, nameOf, optionsOf, studies, studyTable } from '../../bench/studies.ts'
import { methods } from '../../src/ports/trainer.ts'

const behaviour = { follows: 0.5, right: 0.8, knowsNot: 1 }
const dpo = { method: 'dpo', prompts: 60, flipped: 0 } as const

function result(change: Partial<CellResult>): CellResult {
  const mark = { accuracy: 0.9, pairs: 40, perplexity: 1.02, behaviour: { ...behaviour, follows: 0.95 } }
  return {
    cell: dpo,
    model: 'starter',
    seed: 1,
    state: 'promoted',
    why: [],
    seconds: 60,
    before: behaviour,
    mark,
    ...change,
  }
}

describe('the studies of methods', () => {
  it('have every method, and no two runs under one name', () => {
    assert.deepEqual(new Set(studies.methods?.map(({ method }) => method)), new Set(methods))
    for (const cells of Object.values(studies)) assert.equal(new Set(cells.map(nameOf)).size, cells.length)
  })

  it('share the run that nothing is changed in', () => {
    const plain = (study: string) => studies[study]?.map(nameOf).includes('dpo-60')
    assert.ok(plain('methods') && plain('noise') && plain('prompts'))
  })

  it('tell robust DPO alone to reckon with wrong votes', () => {
    const noisy = { ...dpo, flipped: 0.2 }
    assert.deepEqual(optionsOf(noisy, 3), { method: 'dpo', seed: 3 })
    assert.deepEqual(optionsOf({ ...noisy, robust: true }, 3), { method: 'dpo', seed: 3, labelSmoothing: 0.1 })
  })

  it('are a table with the mean, each seed, and what was not run', () => {
    const runs = [result({}), result({ seed: 2, seconds: 80, state: 'refused', why: ['values'] })]
    const lines = studyTable([dpo, { ...dpo, prompts: 30 }], runs).split('\n')
    assert.equal(lines.length, 5)
    assert.match(lines[2] ?? '', /^\| the base \| – \| 50 % \(by definition\) \| 50 % \| 80 % \| 100 % \|/)
    assert.match(
      lines[3] ?? '',
      /\| dpo-60 \| 1, 2 \| 90 % \(90 %, 90 %\) .* \| 70 \(60, 80\) \| promoted; refused \(values\) \|/,
    )
    assert.match(lines[4] ?? '', /^\| dpo-30 \| 0 \|( not run \|){7}$/)
  })

  it('show a run that failed, with its reason and no figures', () => {
    const { mark: _, ...failed } = result({ state: 'failed', why: ['The reward model is no better than a coin.'] })
    const row = studyTable([dpo], [failed]).split('\n').at(-1) ?? ''
    assert.match(row, /\| – \| – \| – \| – \| – \| 60 \| failed \(The reward model is no better than a coin\.\) \|$/)
  })
})

describe('prompts to judge', () => {
  it('come from one handbook after the other, so that the first thirty are of all of them', () => {
    assert.deepEqual(inTurn([['a1', 'a2', 'a3'], ['b1'], ['c1', 'c2']]), ['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
    assert.deepEqual(inTurn([]), [])
  })
})
