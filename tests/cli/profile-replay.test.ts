import assert from 'node:assert/strict'
import type { Desk } from '../../src/cli/desk.ts'
import type { Output } from '../../src/cli/output.ts'
import { optionsOf, replayProfile } from '../../src/cli/profile-replay.ts'
import type { ReplayOptions } from '../../src/ports/replay.ts'
import { memoryStore } from '../fakes/memory-store.ts'
import { deskProfile, sampleReplays } from '../fakes/replays.ts'

describe('hone profile replay', () => {
  it('prints each message, where they differ both replies, and what came of it', async () => {
    const replays = await sampleReplays(memoryStore())
    const asked: ReplayOptions[] = []
    const desk = {
      profile: async () => deskProfile('You are Ash.'),
      async *replay(options: ReplayOptions) {
        asked.push(options)
        yield* replays.watch((await replays.start(options, 'cli')).id)
      },
      lastReplay: async () => replays.last() ?? null,
    } as unknown as Desk
    const said: string[] = []
    const output: Output = { json: false, say: (text) => void said.push(text), result: (text) => void said.push(text) }
    await replayProfile('3f2a', { turns: '5', voted: true }, desk, output)
    assert.deepEqual(asked, [{ profile: deskProfile('You are Ash.'), turns: 5, first: 'voted' }])
    assert.deepEqual(said.slice(0, 2), [
      '≠ 1. How many <b>days</b>, case 2? (words, refusal)\n    then: Everyone has 20 days [1].\n    now:  Everyone has 25 days [1]. I don’t know more.',
      '= 2. How many <b>days</b>, case 1?',
    ])
    assert.match(said[2] ?? '', /: 2 of 2 messages of 2 threads answered, 1 otherwise than then\.\n/)
    assert.match(said[2] ?? '', /Words a reply: 5 then, 7 now\. With a source: 1 then, 1 now\.\n/)
    assert.match(
      said[2] ?? '',
      /Of 1 replies that people disliked or corrected, 1 are otherwise; of 0 that they liked, 0\.\n/,
    )
    assert.match(said[2] ?? '', /hone profile promote 3f2a$/)
  })

  it('reads how far back to look, and refuses what is no number', () => {
    const now = Date.parse('2026-05-08T12:00:00Z')
    assert.deepEqual(optionsOf({ since: '7d' }, now), { since: '2026-05-01T12:00:00.000Z' })
    assert.deepEqual(optionsOf({ since: '12h', tenant: 'T1' }, now), {
      since: '2026-05-08T00:00:00.000Z',
      tenant: 'T1',
    })
    assert.deepEqual(optionsOf({ since: '2026-01-31', minutes: '3' }), { since: '2026-01-31', minutes: 3 })
    assert.throws(() => optionsOf({ threads: 'many' }), { code: 'INPUT', message: /--threads/ })
  })
})
