import assert from 'node:assert/strict'
import { gate, materialOf } from '../../training/gate.ts'
import { lastMessage, messageParts } from '../../training/text.ts'
import { fakeSlot, type Script } from '../fakes/engine.ts'
import { answer, base, candidate, chosen, failed, good, heldOut, lora, plain, rejected, run } from './judging.ts'
import { pairRows } from './rows.ts'

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
    const counted = ['evidence', 'finite', 'live', 'people', 'own-questions']
    const bare = checks.filter(({ id, interval }) => !interval && !counted.includes(id))
    assert.deepEqual(bare, [])
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
    assert.deepEqual(failed(bold), ['ignorance', 'refusal'])
    assert.equal(bold.verdict, 'refuse')
  })

  it('weighs what was lost of the golden questions against what was gained', async () => {
    const losing = (...lost: readonly string[]): Script['answer'] => {
      return ({ id }, prompt) => {
        const { text } = good.answer({ id, base: 'base.gguf' }, prompt)
        const { passages, question } = lastMessage(prompt)
        if (id === 'v0') return { text }
        if (lost.some((start) => question.startsWith(start))) return { text: 'It is 7 [1].' }
        return { text: question.startsWith('What does membership') && passages.includes('21') ? 'It is 21 [1].' : text }
      }
    }
    assert.deepEqual(failed(await run({ answer: losing('Until when is breakfast') })), [])
    assert.deepEqual(
      failed(await run({ answer: losing('Until when is breakfast', 'In which room', 'Within how many days') })),
      ['golden'],
    )
  })

  it('asks golden questions with highlights where the bot’s prompts have them', () => {
    const withHighlights = (content: string) => content.replace(/\n\n(?=[^\n]*$)/, '\n\nNearest:\nIt is so. [1]\n\n')
    const shown = (pairs: typeof heldOut) =>
      materialOf(pairs, []).golden.flatMap(({ prompt }) =>
        prompt.map(({ content }) => messageParts(content).highlights),
      )
    const asked = heldOut.map((pair) => ({
      ...pair,
      prompt: pair.prompt.map((one) => ({ ...one, content: withHighlights(one.content) })),
    }))
    assert.ok(shown(asked).includes('Nearest:\nBreakfast is sold until 9:20. [1]'))
    assert.ok(shown(asked).includes(''))
    assert.deepEqual(shown(heldOut).filter(Boolean), [])
  })

  it('lets nothing be lost of the operator’s own questions that the base gets right', async () => {
    const ask = (question: string) => [{ role: 'user' as const, content: question }]
    const own = [
      {
        own: true,
        prompt: ask('[1] Rooms\nThe desk is in room 218.\n\nIn which room is the desk?'),
        contains: ['218'],
      },
      { own: true, prompt: ask('Who runs the bar?'), contains: ['Miriam'] },
    ]
    assert.deepEqual(failed(await run({}, { golden: own })), [])
    const lost: Script['answer'] = ({ id }, prompt) =>
      id !== 'v0' && prompt.at(-1)?.content === own[0]?.prompt[0]?.content
        ? { text: 'It is 7 [1].' }
        : good.answer({ id, base: 'base.gguf' }, prompt)
    assert.deepEqual(failed(await run({ answer: lost }, { golden: own })), ['own-questions'])
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
