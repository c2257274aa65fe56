import type { MessageReaction, PartialMessageReaction, PartialUser, User } from 'discord.js'
import type { Bot } from '../../src/ports/bot.ts'
import type { Verdict } from '../../src/ports/store.ts'
import { personId, tenantOf, threadOf } from './place.ts'

const verdicts: Readonly<Record<string, Verdict>> = { '👍': 'up', '👎': 'down' }

/** Counts 👍 and 👎 on a reply as votes; taking one away withdraws the vote that it was. */
export async function reacted(
  { emoji, message }: MessageReaction | PartialMessageReaction,
  user: User | PartialUser,
  how: 'added' | 'removed',
  bot: Bot,
): Promise<void> {
  const verdict = verdicts[emoji.name?.replace(/\p{Emoji_Modifier}/gu, '') ?? '']
  if (!verdict || user.bot) return
  const where = { channel: message.channelId, guild: message.guildId }
  const turn = await bot.store.messages.find({ thread: threadOf(where), id: message.id })
  // Two answers in one message: nobody can tell which of them is meant.
  if (turn?.role !== 'assistant' || turn.duel) return
  const person = { id: personId(user.id), name: user.displayName ?? user.id }
  if (how === 'removed') {
    const { votes } = await bot.store.feedback.ofTurn(turn.id)
    if (votes.findLast((vote) => vote.person === person.id)?.verdict !== verdict) return
  }
  const said = how === 'added' ? verdict : 'none'
  await bot.feedback({ kind: 'vote', turn: turn.id, verdict: said, tenant: tenantOf(where), person })
}
