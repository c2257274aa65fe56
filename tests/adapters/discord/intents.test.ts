import assert from 'node:assert/strict'
import { Client, GatewayIntentBits, Partials } from 'discord.js'
import { clientOptions, discord } from '../../../adapters/discord/index.ts'
import { silent } from '../../../src/log.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { keptLog } from './house.ts'

describe('the intents of a client', () => {
  const attach = (options: ConstructorParameters<typeof Client>[0], wishes: object = {}) => {
    const logged = keptLog()
    const client = new Client(options)
    discord(client, fakeBot(), { ...wishes, log: logged.log }).detach()
    return logged.lines.map(({ fields }) => String(fields.what))
  }
  it('are complete in what Hone makes', () => {
    for (const wishes of [{}, { listen: ['1'] }, { reactions: true }]) {
      assert.deepEqual(attach(clientOptions(wishes, { log: silent }), wishes), [])
    }
  })
  it('do not include the privileged one unless a channel is listened to', () => {
    const { intents } = new Client(clientOptions({}, { log: silent })).options
    assert.equal(intents.has(GatewayIntentBits.MessageContent), false)
  })
  it('are explained where one is missing', () => {
    const [first, second] = attach({ intents: ['Guilds', 'GuildMessages'] })
    assert.match(first ?? '', /DirectMessages, direct messages are not heard/)
    assert.match(second ?? '', /Partials\.Channel/)
  })
  it('are refused where what was asked for can’t work', () => {
    assert.throws(
      () =>
        attach(
          { intents: ['Guilds', 'GuildMessages', 'DirectMessages'], partials: [Partials.Channel] },
          { listen: ['1'] },
        ),
      /MessageContent.*privileged.*page Bot/,
    )
  })
})
