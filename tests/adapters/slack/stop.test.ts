import assert from 'node:assert/strict'
import { createBot } from '../../../src/bot.ts'
import { silent } from '../../../src/log.ts'
import type { Engine } from '../../../src/ports/engine.ts'
import { parseProfile } from '../../../src/prompt/profile.ts'
import { createSlot } from '../../../src/slot.ts'
import { sqlite } from '../../../src/store/index.ts'
import { type FakeSlack, fakeSlack } from '../../fakes/slack/index.ts'
import { mention, press, stopPressed } from '../../fakes/slack/payloads.ts'
import { visible } from '../../fakes/slack/workspace.ts'
import { workplace } from './workplace.ts'

const ts = '1763900001.000100'
const profile = parseProfile('---\nname: desk\n---\nYou are the desk.', 'desk.md')
const version = { id: 'v0', base: 'base.gguf' }

/** An engine that goes on for ever, unless it is told to stop. */
function endless() {
  const stopped = Promise.withResolvers<void>()
  const engine: Engine = {
    version,
    contextTokens: 1000,
    async *generate(_, { signal } = {}) {
      yield { kind: 'text', text: 'Half an answer ' }
      await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
      stopped.resolve()
      yield { kind: 'end', reason: 'aborted', usage: { prompt: 1, evaluated: 1, completion: 3 } }
    },
    async [Symbol.asyncDispose]() {},
  }
  return { engine, stopped: stopped.promise }
}

const stops = {
  'Slack’s own Stop': { refuse: () => undefined, stop: (_: FakeSlack) => stopPressed(ts, 'C1') },
  'the Stop button of a message that is edited': {
    refuse: (method: string) => (method.includes('Stream') ? 'unknown_method' : undefined),
    stop: (server: FakeSlack) => {
      const value = /hone:stop:[^"]+/.exec(server.space.messages.map(visible).join())?.[0] ?? ''
      return press({ action: 'hone:stop', value, thread: ts })
    },
  },
}

for (const [what, { refuse, stop }] of Object.entries(stops)) {
  describe(`${what}, with the real core`, () => {
    it('ends the generation, and keeps what was said with its thumbs', async () => {
      const { engine, stopped } = endless()
      await using store = await sqlite(':memory:')
      await using slot = await createSlot({ load: async () => engine, first: version, log: silent })
      await using server = await fakeSlack({ refuse })
      await using bot = await createBot({ store, slot, profile, log: silent })
      await using place = await workplace(bot, { server })
      await place.give(mention({ text: 'Tell me everything', ts }))
      await server.until(() => server.space.messages.map(visible).join().includes('Half an answer'))
      await place.give(stop(server))
      await stopped
      await server.until(() => server.space.messages.map(visible).join().includes('hone:up:'))
      const [message, ...others] = server.space.messages
      assert.deepEqual([message?.streamingSince, others], [undefined, []])
      const [, kept] = await store.turns.history(`slack:T1:C1:${ts}`, 9)
      assert.equal(kept?.text, 'Half an answer')
    })
  })
}
