import { surviveOnDiscord } from '../discord/kills.ts'
import { streamOnDiscord } from '../discord/streams.ts'
import { atLeast, atMost, figure, type Result } from '../result.ts'

const kills = 50
const streams = 20

/** Fifty kills of a bot on Discord, and twenty replies at once under the limits that Discord's headers tell. */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  say(`${kills} kills`)
  const { lost, doubled, asked, refused } = await surviveOnDiscord(kills, say)
  say(`${streams} replies at once`)
  const streamed = await streamOnDiscord(streams)
  return [
    atMost('discord.kill.lost', lost.length, 0, 'questions', lost),
    atMost('discord.kill.doubled', doubled.length, 0, 'questions', doubled),
    // A process that has just started can't know what the one before it had used up.
    figure('discord.kill.429', refused.length, 'requests', refused),
    figure('discord.kill.asked', asked, 'questions', { kills }),
    atMost('discord.streams.429', streamed.refused.length, 0, 'requests', streamed.refused),
    atLeast('discord.streams.edits', Math.min(...streamed.edits), 2, 'edits', 'of the reply with the fewest'),
  ]
}
