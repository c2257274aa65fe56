import assert from 'node:assert/strict'
import { teams } from '../../adapters/teams/index.ts'
import { createBot } from '../../src/bot.ts'
import { silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { jumpingClock } from '../fakes/teams/bench.ts'
import { type Chat, openChat, tenant } from '../fakes/teams/chat.ts'
import { type Connector, openConnector, type Shown } from '../fakes/teams/connector.ts'
import { agents, botbuilder, type OpenHost } from '../fakes/teams/hosts.ts'
import { type House, openHouse } from '../training/house.ts'

const profile = parseProfile('---\nname: desk\npassages: 0\n---\nYou answer from the handbook.', 'desk.md')
const questions = 40
const question = (n: number) => `It takes ${n + 100} days.\n\nHow long does number ${n} take?`

/** Waits until Teams shows a whole reply and a vote on it can be linked. */
async function replyTo(chat: Chat, text: string, { store }: Bot): Promise<Shown> {
  const before = chat.shown().length
  await chat.say(text)
  for (;;) {
    const shown = await chat.answered()
    const turn = await store.messages.find({ thread: chat.thread, id: shown.id })
    if (turn && chat.shown().length > before) return shown
    await new Promise((resolve) => setImmediate(resolve))
  }
}

interface Journey extends AsyncDisposable {
  readonly house: House
  readonly bot: Bot
  readonly connector: Connector
  chat(conversation: string): Chat
}

async function begin(open: OpenHost, trainOn: readonly string[]): Promise<Journey> {
  const house = await openHouse({ pairs: 0, more: { trainOn } })
  const { store, slot, learning } = house
  const bot = await createBot({ store, slot, learning, profile, trainOn, log: silent })
  const clock = jumpingClock()
  const connector = await openConnector({ now: clock.now })
  const host = open(connector)
  const here = { serviceHosts: ['127.0.0.1'], serviceUrl: connector.url, issuers: [connector.issuer.name], clock }
  const pacer = { take: async () => undefined, tryTake: () => true, pause: () => undefined }
  host.use(teams(bot, { tenants: [tenant], admins: ['aad-anna'], feedback: 'custom', pacer, ...here }))
  return {
    house,
    bot,
    connector,
    chat: (conversation) => openChat(host, connector, { conversation }),
    async [Symbol.asyncDispose]() {
      await bot[Symbol.asyncDispose]()
      await connector[Symbol.asyncDispose]()
      await house[Symbol.asyncDispose]()
    },
  }
}

/** Anna says of every long answer that it is bad, and what it should have said. */
async function judge({ chat, bot }: Journey): Promise<void> {
  for (let n = 0; n < questions; n++) {
    const anna = chat(`a:${n}`)
    const shown = await replyTo(anna, question(n), bot)
    assert.equal(shown.activity.text, `That would be ${n + 100} days, I think [1].`)
    const form = { reasons: 'Too long', better: `${n + 100} days [1].` }
    assert.equal((await anna.vote(shown.id, 'dislike', form)).status, 200)
  }
}

for (const [name, open] of Object.entries({ botbuilder, agents })) {
  describe(`from a message in Teams to a better version (${name})`, () => {
    it('answers, takes thumbs and better answers, trains, proves, and serves what it learned', async () => {
      await using journey = await begin(open, ['teams'])
      const { bot, connector, chat } = journey
      await judge(journey)
      const admin = chat('a:admin')
      await admin.say('hone retrain')
      await connector.until(() => admin.shown().some(({ activity }) => /promoted/.test(String(activity.text))))
      const cards = admin.shown().filter(({ activity }) => activity['attachments'])
      assert.match(JSON.stringify(cards), /The new version serves/)
      const later = chat('a:later')
      const shown = await replyTo(later, question(7), bot)
      assert.equal(shown.activity.text, '107 days [1].')
      await later.say('hone why')
      const said = () => String(later.shown().at(-1)?.activity.text)
      await connector.until(() => /version \*\*v1\*\*/.test(said()))
      assert.match(said(), /learned from \d+ pairs of 1 people/)
      assert.deepEqual(
        connector.calls.filter(({ fault }) => fault),
        [],
      )
    })

    it('trains on nothing from Teams unless the operator has named it', async () => {
      await using journey = await begin(open, ['web'])
      await judge(journey)
      const admin = journey.chat('a:admin')
      await admin.say('hone retrain')
      await journey.connector.until(() =>
        admin.shown().some(({ activity }) => /0 usable pairs/.test(String(activity.text))),
      )
      assert.match(JSON.stringify(admin.shown()), /channel not allowed/)
      await admin.say('hone privacy')
      await journey.connector.until(() => /Nothing from this channel/.test(JSON.stringify(admin.shown())))
      assert.equal(journey.house.slot.version.id, 'v0')
    })
  })
}
