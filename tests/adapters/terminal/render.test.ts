import assert from 'node:assert/strict'
import { parseLine, parseOutcome } from '../../../adapters/terminal/parse.ts'
import { gateText, plain, whyLine } from '../../../adapters/terminal/render.ts'
import { gateReport } from '../../fakes/learning.ts'

describe('what the terminal reads and draws', () => {
  for (const [line, kind] of [
    ['', 'nothing'],
    ['  hello  ', 'say'],
    ['//x', 'say'],
    ['/up', 'vote'],
    ['/hone', 'command'],
    ['/exit', 'quit'],
    ['/Up', 'unknown'],
  ] as const) {
    it(`reads "${line}" as ${kind}`, () => assert.equal(parseLine(line).kind, kind))
  }

  it('reads the answers to a duel and nothing else', () => {
    assert.deepEqual(['1', '2', 'T', ' b ', '3', ''].map(parseOutcome), [
      'left',
      'right',
      'tie',
      'both-bad',
      null,
      null,
    ])
  })

  it('lists every check of the gate with its value and limit', () => {
    const table = gateText(gateReport('refuse'), (_style, text) => text)
    assert.match(
      table,
      /refuse\n✓ Prefers what people preferred\s+0\.87 {2}≥ 0\.6 {2}\(0\.78 to 0\.94, n 61\)\n✕ Still reads other text/,
    )
  })

  it('says where the reasons of an answer are, if it has some', () => {
    const reply = { turn: 'b', text: 'Yes.', sources: [], version: 'v0' }
    const paint = (_style: string, text: string) => text
    assert.deepEqual(
      [whyLine(reply, paint), whyLine({ ...reply, explanation: 'x' }, paint)],
      ['', '/why tells the reasons.\n'],
    )
  })

  it('keeps line breaks and tabs, and no other control character', () => {
    assert.equal(plain('a\r\nb\tc\u001b[1m\u0000'), 'a\nb\tc[1m')
  })
})
