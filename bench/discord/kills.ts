import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ApiMessage, type Channel, type FakeDiscord, fakeDiscord } from '../../tests/fakes/discord/index.ts'

/** The bot in a process of its own, to be killed: `child.ts FOLDER API TOKEN`. */
export const program = join(import.meta.dirname, '..', '..', 'tests', 'journeys', 'discord', 'child.ts')

/** Windows so short that fifty kills take minutes. */
export const quick = {
  limits: {
    sends: { limit: 5, windowMs: 100 },
    edits: { limit: 5, windowMs: 100 },
    others: { limit: 50, windowMs: 100 },
  },
  identifies: 100_000,
  maxConcurrency: 16,
} as const

/** A question, and where it was asked. */
export interface Asked {
  readonly channel: Channel
  readonly question: ApiMessage
}

/** Questions without a finished answer, and questions with more than one. */
export function audit(server: FakeDiscord, asked: readonly Asked[]) {
  const answers = ({ channel, question }: Asked) =>
    server.said(channel).filter(({ message_reference }) => message_reference?.message_id === question.id)
  const finished = ({ components }: ApiMessage) => /:(up|duel-left):/.test(JSON.stringify(components))
  return {
    lost: asked.filter((one) => !answers(one).some(finished)).map(({ question }) => question.content),
    doubled: asked.filter((one) => answers(one).length > 1).map(({ question }) => question.content),
  }
}

/**
 * Asks in three channels, kills the bot in the middle of it, asks while nothing runs, starts it again; so often.
 *
 * @param kills how often.
 * @example const { lost, doubled } = await surviveOnDiscord(50)
 */
export async function surviveOnDiscord(kills: number, say: (text: string) => void = () => {}) {
  const dir = mkdtempSync(join(tmpdir(), 'hone-discord-'))
  await using server = await fakeDiscord(quick)
  const guild = server.world.guild('Garden club')
  const channels = [0, 1, 2].map((n) => server.world.channel(guild, `c${n}`))
  const anna = server.person('anna')
  const asked: Asked[] = []
  const ask = (): void => {
    const channel = channels[asked.length % channels.length] as Channel
    asked.push({ channel, question: anna.say(channel, `Question ${asked.length}`, { mention: true }) })
  }
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(process.execPath, [program, dir, server.url, server.token], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    return child
  }
  let child = await start()
  try {
    for (let kill = 1; kill <= kills; kill++) {
      for (let n = 0; n < 4; n++) ask()
      // Any moment is a good one for a kill.
      await sleep(Math.random() * 600)
      child.kill('SIGKILL')
      await once(child, 'close')
      ask()
      child = await start()
      if (kill % 10 === 0) say(`${kill} kills, ${asked.length} questions`)
    }
    ask()
    await server.until(() => audit(server, asked).lost.length === 0, 'all answers').catch(() => undefined)
    return { ...audit(server, asked), asked: asked.length, refused: server.tooMany() }
  } finally {
    child.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  }
}
