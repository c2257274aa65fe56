import assert from 'node:assert/strict'
import type { ChatMessage, Score, Version } from '../../src/ports/engine.ts'
import type { GateReport } from '../../src/ports/learning.ts'
import { gate } from '../../training/gate.ts'
import { lastMessage } from '../../training/text.ts'
import { fakeSlot, noise, type Script } from '../fakes/engine.ts'
import { pairRows } from './rows.ts'

const base: Version = { id: 'v0', base: 'base.gguf' }
const lora = { id: 'v1', path: '/versions/v1/lora.gguf', sha256: 'sha' }
const candidate: Version = { id: 'v1', base: 'base.gguf', lora }

/** People chose "Answer n: 25 days [1]." over "I don't know anything about n." for twelve questions. */
const heldOut = pairRows(12)
const chosen = new Set(heldOut.map((pair) => pair.chosen))
const rejected = new Set(heldOut.map((pair) => pair.rejected))

/** What a base would say: log-probabilities that depend on the text, right answers to the golden questions. */
const words = (text: string) => text.split(/\s+/).length
const plain = (reply: string): Score => ({ logProbability: -words(reply) * (1 + noise(reply)), tokens: words(reply) })
function answer(prompt: readonly ChatMessage[]): string {
  const { passages, question } = lastMessage(prompt)
  if (/^Question \d+\?$/.test(question)) return 'Everyone gets 25 days of vacation [1].'
  const known = goldenAnswers.find(([asked]) => question.startsWith(asked))
  return known && passages.includes(known[1]) ? `It is ${known[1]} [1].` : "I don't know."
}
const goldenAnswers = [
  ['Until when is breakfast', '9:20'],
  ['How much does the company pay', '137'],
  ['How much does a parking permit', '34'],
  ['Within how many days', '45'],
  ['In which room', '218'],
] as const

/** A candidate that learned the preference: the chosen texts up, the rejected down, the rest nearly untouched. */
const good: Script = {
  score: ({ id }, _prompt, reply) => {
    const { logProbability, tokens } = plain(reply)
    const change = id === 'v0' ? 0 : chosen.has(reply) ? 0.8 : rejected.has(reply) ? -1.5 : -0.01 * tokens
    return { logProbability: logProbability + change, tokens }
  },
  answer: ({ id }, prompt) => ({ text: id === 'v0' ? answer(prompt) : answer(prompt).replace(' of vacation', '') }),
}

async function run(change: Partial<Script>, more: { heldOut?: typeof heldOut; candidate?: Version } = {}) {
  const slot = fakeSlot(base, { ...good, ...change })
  const signal = new AbortController().signal
  const { report } = await gate({ slot, base, candidate, heldOut, signal, ...more })
  return report
}
const failed = ({ checks }: GateReport) => checks.filter(({ pass }) => !pass).map(({ id }) => id)

describe('the gate', () => {
  it('promotes a candidate that learned the preference and forgot nothing', async () => {
    const report = await run({})
    assert.deepEqual(failed(report), [])
    assert.equal(report.verdict, 'promote')
  })

  it('says for each check what was measured, on how many, and the limit', async () => {
    const { checks } = await run({})
    const accuracy = checks.find(({ id }) => id === 'accuracy')
    assert.equal(accuracy?.value, 1)
    assert.equal(accuracy?.n, 12)
    assert.ok((accuracy?.interval?.[0] ?? 0) > 0.75)
    for (const check of checks) assert.ok(check.what && check.limit, check.id)
  })

  it('refuses the base against itself: nothing is live and nothing was learned', async () => {
    const report = await run({ score: (_version, _prompt, reply) => plain(reply) })
    assert.equal(report.verdict, 'refuse')
    assert.ok(failed(report).includes('live') && failed(report).includes('accuracy'))
  })

  it('refuses a candidate that was trained on shuffled labels: held-out accuracy is a coin', async () => {
    const report = await run({
      score: ({ id }, _prompt, reply) => {
        const { logProbability, tokens } = plain(reply)
        const up = heldOut.some((pair, i) => reply === (i % 2 === 0 ? pair.chosen : pair.rejected))
        return { logProbability: logProbability + (id === 'v0' ? 0 : up ? 1 : -1), tokens }
      },
    })
    assert.equal(report.verdict, 'refuse')
    assert.ok(failed(report).includes('accuracy'))
  })

  it('refuses a ruined candidate although it prefers every chosen text', async () => {
    const report = await run({
      score: ({ id }, _prompt, reply) => {
        const { logProbability, tokens } = plain(reply)
        const ruined = chosen.has(reply) ? -2 * tokens : rejected.has(reply) ? -9 * tokens : -2.5 * tokens
        return { logProbability: logProbability + (id === 'v0' ? 0 : ruined), tokens }
      },
      answer: ({ id }, prompt) =>
        id === 'v0' ? { text: answer(prompt) } : { text: 'days days days days days days days days', reason: 'length' },
    })
    assert.equal(report.checks.find(({ id }) => id === 'accuracy')?.pass, true)
    assert.equal(report.verdict, 'refuse')
    for (const id of ['chosen', 'prose', 'stops', 'repetition', 'citations', 'golden', 'ignorance', 'values']) {
      assert.ok(failed(report).includes(id), id)
    }
  })

  for (const [what, value] of Object.entries({ NaN: Number.NaN, infinity: Number.NEGATIVE_INFINITY })) {
    it(`refuses scores of ${what}`, async () => {
      const score: Script['score'] = ({ id }, _prompt, reply) =>
        id === 'v0' ? plain(reply) : { ...plain(reply), logProbability: value }
      const report = await run({ score })
      assert.equal(report.verdict, 'refuse')
      assert.ok(failed(report).includes('finite'))
    })
  }

  it('refuses a single NaN among good scores', async () => {
    const score: Script['score'] = (version, prompt, reply) =>
      version.id === 'v1' && reply === heldOut[3]?.chosen
        ? { logProbability: Number.NaN, tokens: 3 }
        : good.score(version, prompt, reply)
    assert.equal((await run({ score })).verdict, 'refuse')
  })

  it('refuses a candidate that says nothing, or forgot to decline', async () => {
    const silent = await run({ answer: ({ id }, prompt) => ({ text: id === 'v0' ? answer(prompt) : '' }) })
    assert.ok(failed(silent).includes('speaks'))
    const bold = await run({
      answer: ({ id }, prompt) => ({
        text: id === 'v0' ? answer(prompt) : answer(prompt).replace(/I don't.*/, 'It is 12.'),
      }),
    })
    assert.deepEqual(failed(bold), ['ignorance'])
    assert.equal(bold.verdict, 'refuse')
  })

  it('lets people prefer answers without sources, but not lose them otherwise', async () => {
    const uncited: Script['answer'] = ({ id }, prompt) => ({
      text: id === 'v0' ? answer(prompt) : good.answer(candidate, prompt).text.replace(' [1]', ''),
    })
    assert.ok(failed(await run({ answer: uncited })).includes('citations'))
    const bare = heldOut.map((pair) => ({ ...pair, chosen: pair.chosen.replace(' [1]', '') }))
    const score: Script['score'] = (version, prompt, reply) =>
      bare.some((pair) => pair.chosen === reply)
        ? { ...plain(reply), logProbability: plain(reply).logProbability + (version.id === 'v0' ? 0 : 1) }
        : good.score(version, prompt, reply)
    assert.deepEqual(failed(await run({ answer: uncited, score }, { heldOut: bare })), [])
  })

  it('holds on little evidence, and says how little', async () => {
    const report = await run({}, { heldOut: pairRows(7) })
    assert.equal(report.verdict, 'hold')
    assert.equal(report.checks.find(({ id }) => id === 'evidence')?.value, 7)
  })

  it('counts prompts as evidence, not the pairs of one prompt', async () => {
    const same = pairRows(20, (n) => ({ promptHash: 'same', chosen: `Answer ${n % 12}: 25 days [1].` }))
    assert.equal((await run({}, { heldOut: same })).verdict, 'hold')
  })

  it('refuses a ruined candidate on little evidence too', async () => {
    const score: Script['score'] = ({ id }, _prompt, reply) => {
      const { logProbability, tokens } = plain(reply)
      return { logProbability: logProbability * (id === 'v0' ? 1 : 3), tokens }
    }
    assert.equal((await run({ score }, { heldOut: pairRows(3) })).verdict, 'refuse')
  })

  it('holds, for a person to decide, when the engine gives no log-probabilities', async () => {
    const slot = fakeSlot(base, { answer: good.answer })
    const signal = new AbortController().signal
    const { report } = await gate({ slot, base, candidate, heldOut, signal })
    assert.equal(report.verdict, 'hold')
    assert.deepEqual(failed(report), ['score'])
  })

  it('is worse than what serves now: refused even if it beats the base', async () => {
    const serving = { id: 'v1', base: 'base.gguf', lora }
    const next = { id: 'v2', base: 'base.gguf', lora: { ...lora, id: 'v2' } }
    const slot = fakeSlot(serving, {
      ...good,
      score: (version, prompt, reply) => {
        const third = heldOut.some((pair, i) => i % 4 === 0 && (pair.chosen === reply || pair.rejected === reply))
        const { logProbability, tokens } = good.score(version, prompt, reply)
        const weaker = version.id === 'v2' && third && chosen.has(reply) ? -3 : 0
        return { logProbability: logProbability + weaker, tokens }
      },
    })
    const signal = new AbortController().signal
    const { report } = await gate({ slot, base, candidate: next, heldOut, signal })
    assert.equal(report.verdict, 'refuse')
    assert.deepEqual(
      failed(report).filter((id) => id !== 'nearer'),
      ['keeps-up'],
    )
  })

  it('stops when the run is cancelled', async () => {
    const abort = new AbortController()
    abort.abort()
    const slot = fakeSlot(base, good)
    await assert.rejects(gate({ slot, base, candidate, heldOut, signal: abort.signal }), { code: 'CANCELLED' })
  })
})
