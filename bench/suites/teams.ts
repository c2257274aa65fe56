import { surviveOnTeams } from '../../tests/adapters/teams/kill/survive.ts'
import { twenty } from '../../tests/adapters/teams/twenty.ts'
import { agents } from '../../tests/fakes/teams/agents.ts'
import { atLeast, atMost, figure, type Result } from '../result.ts'

const kills = 50

/**
 * Teams against a local Bot Connector that refuses what Teams refuses: fifty `kill -9`, and twenty replies that stream at
 * once.
 */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  say('20 replies at once')
  const { faults, broken, calls } = await twenty(agents)
  say(`${kills} kills`)
  const { sent, acknowledged, lost, doubled, doubledInGroups, half } = await surviveOnTeams(kills)
  return [
    atMost('teams.streams.refused', faults.length, 0, 'calls', faults),
    atMost('teams.streams.broken', broken.length, 0, 'replies', broken),
    atLeast('teams.streams.calls', Math.min(...calls), 3, 'calls', 'of the reply with the fewest'),
    atMost('teams.kill.lost', lost.length, 0, 'messages', lost),
    atMost('teams.kill.twice', doubled.length, 0, 'messages', doubled),
    atMost('teams.kill.twice.groups', doubledInGroups.length, 0, 'messages', doubledInGroups),
    figure('teams.kill.half', half, 'messages'),
    figure('teams.kill.acknowledged', acknowledged, 'messages', { kills, sent }),
  ]
}
