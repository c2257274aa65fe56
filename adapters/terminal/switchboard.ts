import type { Bot } from '../../src/ports/bot.ts'
import type { Channel } from '../../src/ports/channel.ts'
import { type Chat, type ChatOptions, chat } from './chat.ts'

interface Switchboard {
  readonly chats: Set<Chat>
  readonly detach: () => void
}

const switchboards = new WeakMap<Bot, Switchboard>()

/**
 * Opens a chat in a thread of its own. A bot has one channel named `terminal`; people may have many terminals, so the
 * first chat attaches the channel, each reply goes to the chat it belongs to, and the last one that ends detaches it.
 *
 * @example const session = openChat(bot, { output: process.stdout, admin: true })
 */
export function openChat(bot: Bot, options: ChatOptions): Chat {
  const session = chat(bot, options)
  const { chats, detach } = switchboards.get(bot) ?? attached(bot, session)
  chats.add(session)
  return {
    ...session,
    end() {
      session.end()
      if (chats.delete(session) && chats.size === 0) {
        switchboards.delete(bot)
        detach()
      }
    },
  }
}

function attached(bot: Bot, first: Chat): Switchboard {
  const chats = new Set([first])
  const made = { chats, detach: bot.attach(channelOf(chats)) }
  switchboards.set(bot, made)
  return made
}

/** What belongs to no chat, from before a crash for example, is shown in the newest. */
function channelOf(chats: ReadonlySet<Chat>): Channel {
  const of = (...threads: readonly string[]): Channel => {
    const newestFirst = [...chats].reverse()
    const found = newestFirst.find(({ thread }) => threads.includes(thread)) ?? newestFirst[0]
    if (!found) throw new Error('A channel without chats is detached.')
    return found.channel
  }
  return {
    name: 'terminal',
    duels: true,
    deliver: (event, events) => of(event.thread).deliver(event, events),
    notice: async (thread, ...said) => of(thread).notice?.(thread, ...said),
    tell: async (person, text, threads) => (await of(...threads).tell?.(person, text, threads)) ?? false,
  }
}
