import type { InboundMessage } from '../ports/channel.ts'
import type { Store, ToolCall, Turn, UserTurn } from '../ports/store.ts'
import type { Profile } from '../prompt/profile.ts'

/** A look-up that is older may not be true any more. */
const lookUpMs = 10 * 60_000

/**
 * What tools did for this person's messages just before, to which no reply was kept: the person asks again, and is to hear
 * of it. A look-up counts for ten minutes, a change for as long as it takes, since nobody may do it twice unawares.
 */
export async function unansweredCalls(
  { person, at }: InboundMessage,
  earlier: readonly Turn[],
  { tools }: Profile,
  { calls }: Pick<Store, 'calls'>,
): Promise<readonly ToolCall[]> {
  const since = earlier.slice(earlier.findLastIndex(({ role }) => role === 'assistant') + 1)
  const theirs = since.filter((turn): turn is UserTurn => turn.role === 'user' && turn.person === person.id)
  const ran = theirs.map(async ({ event, at: asked }) => {
    const recent = at.getTime() - asked.getTime() <= lookUpMs
    return (await calls.of(event)).filter(({ name }) => recent || tools[name]?.changes !== false)
  })
  return (await Promise.all(ran)).flat()
}
