import { survive } from '../../tests/adapters/slack/kill/survive.ts'
import { twenty } from '../../tests/adapters/slack/twenty.ts'
import { atMost, figure, type Result } from '../result.ts'

const kills = 50

/**
 * Slack against a local Slack that counts every call: events at 60 a second through fifty `kill -9`, and twenty replies
 * that stream at once in one workspace.
 */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  say('20 replies at once')
  const { limited, broken, streamed, calls } = await twenty()
  say(`${kills} kills`)
  const { sent, acknowledged, lost, doubled, half } = await survive(kills)
  return [
    atMost('slack.streams.429', limited.length, 0, 'calls', limited),
    atMost('slack.streams.broken', broken.length, 0, 'replies', broken),
    figure('slack.streams.streamed', streamed, 'of 20'),
    figure('slack.streams.calls', calls, 'calls'),
    atMost('slack.kill.lost', lost.length, 0, 'events', lost),
    atMost('slack.kill.twice', doubled.length, 0, 'events', doubled),
    atMost('slack.kill.half', half.length, 0, 'messages', half),
    figure('slack.kill.acknowledged', acknowledged, 'events', { kills, sent }),
  ]
}
