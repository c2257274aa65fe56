import assert from 'node:assert/strict'
import { parseCases, type Said, shortfalls } from '../../src/prompt/cases.ts'

const parse = (expect: string) =>
  parseCases(`cases:\n  - input: Hi\n    expect: ${expect}`, 'c.yaml').cases[0] ?? assert.fail()
const said = (text: string, change: Partial<Said> = {}): Said => ({ text, sources: [], declines: false, ...change })
const sources = [{ document: 'help/backups.md', title: 'Backups - How long' }]

describe('a case of a profile test', () => {
  it('passes and fails by what it expects', () => {
    const judged: readonly (readonly [expect: string, said: Said, failed: readonly string[]])[] = [
      ['{ contains: 30 DAYS }', said('Kept 30 days.'), []],
      ['{ contains: [30 days, nightly] }', said('Kept 30 days.'), ['doesn\'t contain "nightly"']],
      ['{ excludes: days }', said('30 days'), ['contains "days"']],
      ["{ matches: '^\\d+ days$' }", said('30 days'), []],
      ["{ matches: '^\\d+ days$' }", said('x 30 days'), ["doesn't match /^\\d+ days$/"]],
      ['{ cites: true }', said('x'), ['cites no source']],
      ['{ cites: false }', said('x', { sources }), ['cites a source']],
      ['{ cites: backups.md }', said('x', { sources }), []],
      ['{ cites: people.md }', said('x', { sources }), ["doesn't cite people.md"]],
      ['{ refuses: true }', said('x'), ['doesn’t refuse']],
      ['{ refuses: false }', said('x', { declines: true }), ['refuses']],
      ['{ schema: { type: object, required: [a] } }', said('{"a":1}'), []],
      ['{ schema: { type: object, properties: { a: { type: string } } } }', said('Hello'), ['is no JSON']],
      ['{ output: { escalate: true } }', said('x', { output: { escalate: true, other: 1 } }), []],
      ['{ output: { escalate: true } }', said('x', { output: { escalate: false } }), ['"escalate" is false, not true']],
      ['{ output: { escalate: true } }', said('x'), ['"escalate" can\'t be read']],
    ]
    for (const [expect, reply, failed] of judged) assert.deepEqual(shortfalls(parse(expect), reply), failed, expect)
    const unfit = shortfalls(
      parse('{ schema: { type: object, properties: { a: { type: string } } } }'),
      said('{"a":1}'),
    )
    assert.match(unfit.join(), /doesn't fit the schema at "a"/)
  })

  it('is refused with file and line for a mistake in it', () => {
    const refused = (expect: string, message: RegExp) => assert.throws(() => parse(expect), { code: 'CONFIG', message })
    refused('{ contain: x }', /^c\.yaml, line 3: the key "cases\.0\.expect\.contain" is not known/)
    refused('{}', /^c\.yaml, line 3, key "cases\.0\.expect": expect something/)
    refused("{ matches: '(' }", /^c\.yaml, line 3: "matches" can't be used: .*Unterminated group/)
    refused('{ schema: { type: nonsense } }', /^c\.yaml, line 3: "schema" can't be used/)
  })
})
