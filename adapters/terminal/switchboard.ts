import type { Bot } from '../../src/ports/bot.ts'
import type { Channel, Inbound, MessageRef, ReplyEvent } from '../../src/ports/channel.ts'
import { type Chat, type ChatOptions, chat } from './chat.ts'

const open = new WeakMap<Bot, Set<Chat>>()

/**
 * Opens a chat in a thread of its own. A bot has one channel named `terminal`; people may have many terminals, so the
 * first chat attaches the channel, for as long as the bot lives, and each reply goes to the chat it belongs to.
 *
 * @example const session = openChat(bot, { output: process.stdout, admin: true })
 */
export function openChat(bot: Bot, options: ChatOptions): Chat {
  const session = chat(bot, options)
  const chats = open.get(bot) ?? new Set()
  chats.add(session)
  if (!open.has(bot)) {
    open.set(bot, chats)
    bot.attach(channelOf(chats))
  }
  return {
    ...session,
    end() {
      session.end()
      chats.delete(session)
    },
  }
}

/** What belongs to no chat, from before a crash for example, is shown in the newest. */
function channelOf(chats: ReadonlySet<Chat>): Channel {
  const of = (...threads: readonly string[]): Channel | undefined => {
    const newestFirst = [...chats].reverse()
    return (newestFirst.find(({ thread }) => threads.includes(thread)) ?? newestFirst[0])?.channel
  }
  return {
    name: 'terminal',
    duels: true,
    deliver: (event, events) => of(event.thread)?.deliver(event, events) ?? unseen(event, events),
    notice: async (thread, ...said) => of(thread)?.notice?.(thread, ...said),
    tell: async (person, text, threads) => (await of(...threads)?.tell?.(person, text, threads)) ?? false,
  }
}

/** Whoever asked has left: the reply is kept all the same. */
async function unseen(event: Inbound, events: AsyncIterable<ReplyEvent>): Promise<readonly MessageRef[]> {
  await Array.fromAsync(events).catch(() => undefined)
  return [{ thread: event.thread, id: event.id }]
}
