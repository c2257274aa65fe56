import assert from 'node:assert/strict'
import type { NewBotTurn, Store } from '../../../src/ports/store.ts'
import { at, botTurn, userTurn } from './samples.ts'

/** Versions that answer side by side. */
export function trialsContract(store: () => Store): void {
  const trial = { versions: ['v1', 'v2'] as const, since: at(60), quietSince: at(0), without: [] }

  /** A question and replies to it, in a thread of its own unless `thread` says where. */
  async function dialogue(id: string, replies: readonly Partial<NewBotTurn>[], thread = `web:${id}`): Promise<void> {
    await store().turns.appendUser(userTurn(id, { thread }))
    const turns = replies.map((change, n) => botTurn(`${id}-${n}`, id, { thread, at: at(61), ...change }))
    await store().turns.appendBot(turns, `event:${id}`)
  }
  const vote = (turn: string, person: string, verdict: 'up' | 'down' | 'none', minute = 62) =>
    store().feedback.vote({ turn, person, verdict, at: at(minute) })

  it('tells the standing thumbs on what two versions said since then, and nothing else', async () => {
    await dialogue('a', [{ version: 'v1' }])
    await dialogue('b', [{ version: 'v2' }])
    await dialogue('other', [{ version: 'v0' }])
    await dialogue('before', [{ version: 'v1', at: at(-5) }])
    for (const turn of ['a-0', 'b-0', 'other-0', 'before-0']) await vote(turn, 'web:anna', 'up')
    await vote('a-0', 'web:anna', 'down', 63)
    await vote('b-0', 'web:bob', 'up')
    await vote('b-0', 'web:bob', 'none', 64)
    const { thumbs, duels } = await store().trials.said(trial)
    assert.deepEqual(
      thumbs.toSorted((one, other) => one.version.localeCompare(other.version)),
      [
        { thread: 'web:a', version: 'v1', person: 'web:anna', verdict: 'down' },
        { thread: 'web:b', version: 'v2', person: 'web:anna', verdict: 'up' },
      ],
    )
    assert.deepEqual(duels, [])
  })

  it('tells who won decided duels between the two, whichever side it stood on', async () => {
    const sides = [
      { version: 'v1', duel: 'd' },
      { version: 'v2', duel: 'd' },
    ] as const
    await dialogue('a', sides)
    await dialogue('b', sides.toReversed())
    await dialogue('same', [sides[0], sides[0]])
    const judge = (name: string, person: string, outcome: 'left' | 'right' | 'tie') => {
      const [left, right] = [`${name}-0`, `${name}-1`]
      return store().feedback.duel({ id: `${left}.${right}`, left, right, person, outcome, at: at(62) })
    }
    await judge('a', 'web:anna', 'left')
    await judge('b', 'web:bob', 'left')
    await judge('b', 'web:cleo', 'tie')
    await judge('same', 'web:anna', 'right')
    await vote('a-0', 'web:anna', 'up')
    const { thumbs, duels } = await store().trials.said(trial)
    assert.deepEqual(
      duels.toSorted((one, other) => one.person.localeCompare(other.person)),
      [
        { person: 'web:anna', winner: 'v1' },
        { person: 'web:bob', winner: 'v2' },
      ],
    )
    assert.deepEqual(thumbs, [])
  })

  it('leaves out tenants that take no part', async () => {
    const sides = ['v1', 'v2'].map((version) => ({ version, duel: 'd', tenant: 'slack:T1' }))
    await dialogue('a', [{ version: 'v1', tenant: 'slack:T1' }])
    await dialogue('b', sides)
    await vote('a-0', 'slack:ann', 'up')
    await store().feedback.duel({ id: 'b-0.b-1', left: 'b-0', right: 'b-1', person: 'x', outcome: 'left', at: at(62) })
    const counted = async (without: readonly string[]) => {
      const { thumbs, duels } = await store().trials.said({ ...trial, without })
      return [thumbs.length, duels.length]
    }
    assert.deepEqual(
      [await counted([]), await counted(['slack:T2'])],
      [
        [1, 1],
        [1, 1],
      ],
    )
    assert.deepEqual(await counted(['slack:T1', 'slack:T2']), [0, 0])
  })

  it('leaves out threads in which the conversation was on when it began', async () => {
    await dialogue('early', [{ version: 'v1', at: at(30) }], 'web:on')
    await dialogue('late', [{ version: 'v1' }], 'web:on')
    await vote('late-0', 'web:anna', 'up')
    const { trials } = store()
    assert.deepEqual((await trials.said(trial)).thumbs, [])
    assert.equal((await trials.said({ ...trial, quietSince: at(31) })).thumbs.length, 1)
    assert.deepEqual(
      [
        await trials.repliedIn('web:on', at(30), at(60)),
        await trials.repliedIn('web:on', at(31), at(60)),
        await trials.repliedIn('web:on', at(0), at(30)),
        await trials.repliedIn('web:elsewhere', at(0), at(60)),
      ],
      [true, false, false, false],
    )
  })
}
