import { silent } from '../../src/log.ts'
import type { Replays } from '../../src/ports/replay.ts'
import type { Store } from '../../src/ports/store.ts'
import { openProfiles } from '../../src/profiles.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { createReplays } from '../../src/replay/replays.ts'
import { at, botTurn, userTurn } from '../contracts/store/samples.ts'
import { fakeSlot } from './engine.ts'

/** A profile's text. */
export const deskProfile = (persona: string) => `---\nname: desk\n---\n${persona}\n`

const leave = { number: 1, title: 'Leave', document: 'leave.md', text: 'Everyone gets 25 days.' }

/** The replays over a store with past threads; `hold` is waited for before each message but the first. */
export async function sampleReplays(
  store: Store,
  { hold, threads = 2 }: { readonly hold?: Promise<unknown>; readonly threads?: number } = {},
): Promise<Replays> {
  for (let n = 1; n <= threads; n++) {
    const thread = `web:other:${n}`
    await store.turns.appendUser(userTurn(`q${n}`, { thread, text: `How many <b>days</b>, case ${n}?`, at: at(n) }))
    const { tools: _, output: __, variables: ___, ...plain } = botTurn(`a${n}`, `q${n}`, { thread })
    const reply = n === 1 ? { text: 'Say it again please.' } : { text: 'Everyone has 20 days [1].', sources: [leave] }
    await store.turns.appendBot([{ ...plain, ...reply, at: at(n) }], `event:q${n}`)
  }
  await store.feedback.vote({ turn: 'a2', person: 'web:anna', verdict: 'down', at: at() })
  await store.feedback.correct({ id: 'c', turn: 'a2', person: 'web:anna', text: 'It is 25.', at: at() })
  let asked = 0
  const knowledge = {
    async search() {
      asked += 1
      if (asked > 1) await hold
      const { number: _, ...passage } = leave
      return [{ ...passage, id: 'p', score: 1 }]
    },
  }
  const slot = fakeSlot(
    { id: 'v1', base: 'scripted' },
    {
      answer: (_, prompt) => ({
        text: prompt.at(-1)?.content.includes('case 1')
          ? 'Say it again please.'
          : 'Everyone has 25 days [1]. I don’t know more.',
      }),
    },
  )
  return createReplays({
    store,
    slot,
    knowledge: knowledge as never,
    profiles: await openProfiles({ store, file: parseProfile(deskProfile('You are Hazel.'), 'desk.md'), log: silent }),
    channels: ['web'],
    declines: (text) => text.includes('don’t know'),
    log: silent,
  })
}
