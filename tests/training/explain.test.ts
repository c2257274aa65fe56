import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Explained } from '../../training/dataset.ts'
import { instructions, makeExplained } from '../../training/explain.ts'
import type { Selection } from '../../training/select.ts'
import { type Script, scriptedEngine } from '../fakes/engine.ts'
import { openHouse } from './house.ts'
import { pairRows } from './rows.ts'

const selection: Selection = {
  method: 'explain',
  train: pairRows(40, (n) => ({
    prompt: [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: `[1] Page ${n}\nThe code is ${n + 100}.\n\nWhat is the code?` },
    ],
    chosen: `It is ${n + 100} [1].`,
  })),
  heldOut: [],
  unpaired: [],
  leftOut: {},
  notes: [],
  splitBy: 'thread',
  heldOutKeys: new Set(),
}

/** A teacher that reads the page and says how it knows, in the words of the instruction it was given. */
const explains: Script['answer'] = (_version, prompt) => {
  const code = /The code is (\d+)/.exec(prompt.at(-1)?.content ?? '')?.[1]
  return { text: `Asked to ${prompt[0]?.content.slice(10)} Page one states the code, and it is ${code} [1].` }
}
const make = (answer: Script['answer']): Promise<Explained> =>
  makeExplained({
    teacher: scriptedEngine({ id: 'v0', base: 'teacher' }, { answer }),
    selection,
    seed: 1,
    signal: new AbortController().signal,
  })

describe('explained answers', () => {
  it('are the teacher’s, two to a question, under instructions that follow the bot’s own', async () => {
    const { rows } = await make(explains)
    assert.equal(rows.length, 80)
    const systems = new Set(rows.map(({ prompt }) => prompt[0]?.content ?? ''))
    assert.deepEqual([...systems].sort(), instructions.map((text) => `Be kind.\n\n${text}`).sort())
  })

  for (const [reason, text] of [
    ['that disagrees with the liked answer', 'Page one states the code on its second line, and it is 7 [1].'],
    ['that disagrees with the liked answer', "I'm sorry, I don't know what the code is from these pages."],
    ['cut off or empty', ' '],
  ] as const) {
    it(`are refused with the reason when every one is ${reason}: ${JSON.stringify(text)}`, async () => {
      await assert.rejects(
        make(() => ({ text })),
        {
          code: 'NOT_ENOUGH_DATA',
          message: new RegExp(`^Of 80 explanations .* 0 can be used.*80 explanation ${reason}.*HONE_TEACHER_URL`),
        },
      )
    })
  }

  it('are none when they are the bare answer, go round in circles, are cut off or hold a secret', async () => {
    let asked = 0
    const { rows, leftOut } = await make((version, prompt) => {
      const { text } = explains(version, prompt)
      const code = /(\d+) \[1\]/.exec(text)?.[1]
      const bad = [
        { text: `It is ${code} [1].` },
        { text: `It is ${code} now. `.repeat(9) },
        { text, reason: 'length' as const },
        { text: `${text} The password is hunter2hunter2.` },
      ]
      return bad[asked++] ?? { text }
    })
    assert.equal(rows.length, 76)
    assert.deepEqual(Object.keys(leftOut).sort(), [
      'explanation cut off or empty',
      'explanation that explains nothing',
      'explanation that repeats itself',
      'explanation with a secret',
    ])
  })

  it('are what a run trains on, whoever the teacher is', async () => {
    const answer: Script['answer'] = (_version, prompt) => {
      const days = /takes (\d+) days/.exec(prompt.at(-1)?.content ?? '')?.[1]
      return { text: `${prompt[0]?.content} The page says how long it takes, which is ${days} days [1].` }
    }
    const teacher = scriptedEngine({ id: 'v0', base: 'teacher' }, { answer })
    await using house = await openHouse({ more: { teacher: (work) => work(teacher) } })
    await house.learning.start('web:anna', { method: 'explain' })
    for await (const event of house.learning.watch()) if (event.kind === 'state' && event.job.state !== 'running') break
    const job = house.trainer.jobs[0]
    assert.equal(job?.method, 'explain')
    const lines = (await readFile(join(job.dataset, 'train.jsonl'), 'utf8')).trim().split('\n')
    assert.ok(lines.length >= 60)
    assert.ok(lines.every((line) => line.includes('The page says how long it takes')))
    const manifest = JSON.parse(await readFile(join(job.dataset, 'dataset.json'), 'utf8'))
    assert.equal(manifest.rows.explained, lines.length)
  })
})
