import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Events } from 'discord.js'
import { clientOptions, discord } from '../../adapters/discord/index.ts'
import { createBot } from '../../src/bot.ts'
import { echo } from '../../src/engines/echo.ts'
import { silent } from '../../src/log.ts'
import type { Engine, Version } from '../../src/ports/engine.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { createSlot } from '../../src/slot.ts'
import { type FakeDiscordOptions, fakeDiscord } from '../../tests/fakes/discord/index.ts'
import { memoryStore } from '../../tests/fakes/memory-store.ts'

const profile = parseProfile('---\nname: desk\npassages: 0\n---\nYou are the desk.', 'desk.md')

/** Says a word every few milliseconds. */
function slowEngine(version: Version): Engine {
  const speaker = echo({ version })
  return {
    ...speaker,
    async *generate(prompt, options) {
      for await (const delta of speaker.generate(prompt, options)) {
        for (let n = 0; delta.kind !== 'end' && n < 60; n++) {
          await sleep(40)
          yield { kind: 'text', text: `word${n} ` }
        }
        yield delta
      }
    },
  }
}

/**
 * So many replies streaming at once in one guild, each in a channel of its own.
 *
 * @returns requests that were refused with 429, and how often each reply was edited.
 */
export async function streamOnDiscord(count: number, options: FakeDiscordOptions = {}) {
  await using server = await fakeDiscord(options)
  const load = async (version: Version) => slowEngine(version)
  await using slot = await createSlot({ load, first: { id: 'v0', base: 'echo' }, log: silent })
  await using bot = await createBot({ store: memoryStore(), slot, profile, log: silent })
  const guild = server.world.guild('Garden club')
  const channels = Array.from({ length: count }, (_, n) => server.world.channel(guild, `c${n}`))
  const client = new Client({ ...clientOptions({}, { log: silent }), rest: { api: server.url, offset: 5 } })
  const handle = discord(client, bot, { register: false })
  const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve))
  try {
    await client.login(server.token)
    await ready
    const anna = server.person('anna')
    for (const channel of channels) anna.say(channel, 'one', { mention: true })
    const replies = () => channels.flatMap((channel) => server.said(channel))
    const finished = () => replies().filter(({ components }) => JSON.stringify(components).includes(':up:'))
    await server.until(() => finished().length === count, `${count} replies`)
    return { refused: server.tooMany(), edits: replies().map(({ edits }) => edits) }
  } finally {
    handle.detach()
    await client.destroy()
  }
}
