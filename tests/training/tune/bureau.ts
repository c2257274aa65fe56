import { promptFacts } from '../../../src/cli/prompt-facts.ts'
import { silent } from '../../../src/log.ts'
import type { ChatMessage, Version } from '../../../src/ports/engine.ts'
import { openProfiles, type ProfileShelf } from '../../../src/profiles.ts'
import { parseProfile } from '../../../src/prompt/profile.ts'
import type { Script } from '../../fakes/engine.ts'
import { type House, type HouseOptions, openHouse } from '../house.ts'

/** A learning loop with a profile whose prompt can be searched. */
export interface Bureau extends House {
  readonly shelf: ProfileShelf
}

export const file = parseProfile(
  '---\nname: desk\nrules:\n  - Name the passage.\n---\nYou answer from the handbook.',
  'desk.md',
)

/** The rule that the votes of `fill` show. */
export const brief = 'Answer in one short sentence.'

/** Short answers to a prompt that asks for them, long ones else, and scores that agree. */
export const obedient: Script = {
  answer: (_, prompt) => {
    const days = /takes (\d+) days/.exec(prompt.at(-1)?.content ?? '')?.[1]
    if (days === undefined) return { text: "I don't know." }
    return { text: asks(prompt) ? `${days} days [1].` : `That would be ${days} days, I think [1].` }
  },
  score: (_, prompt, reply) => {
    const tokens = reply.split(/\s+/).length
    const gain = !asks(prompt) ? 0 : /I think/.test(reply) ? -2 : 2
    return { logProbability: gain - tokens, tokens }
  },
}

const asks = (prompt: readonly ChatMessage[]) => prompt[0]?.content.includes(brief) ?? false

/** True for what a model is asked when it is to propose instructions. */
export const isProposing = (prompt: readonly ChatMessage[]) => prompt[0]?.content.startsWith('You improve') ?? false

/** An engine that does as `script` when it answers people, and writes these lines when it proposes. */
export function proposing(lines: string, script: Script = obedient): Script {
  return {
    ...script,
    answer: (version: Version, prompt: readonly ChatMessage[]) =>
      isProposing(prompt) ? { text: lines } : script.answer(version, prompt),
  }
}

export async function openBureau(options: HouseOptions = {}): Promise<Bureau> {
  let shelf: Promise<ProfileShelf> | undefined
  const house = await openHouse({
    ...options,
    script: { ...obedient, ...options.script },
    more: (store) => {
      shelf = openProfiles({ store, file, log: silent })
      const given = typeof options.more === 'function' ? options.more(store) : options.more
      return {
        prompts: promptFacts(
          async () => (await shelf) as ProfileShelf,
          async () => store,
        ),
        ...given,
      }
    },
  })
  return { ...house, shelf: (await shelf) as ProfileShelf, [Symbol.asyncDispose]: () => house[Symbol.asyncDispose]() }
}
