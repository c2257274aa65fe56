import assert from 'node:assert/strict'
import type { SlackOptions } from '../../../adapters/slack/index.ts'
import { type FakeBotOptions, fakeBot } from '../../fakes/bot.ts'
import { mention } from '../../fakes/slack/payloads.ts'
import { visible } from '../../fakes/slack/workspace.ts'
import { workplace } from './workplace.ts'

export const root = '1763900001.000100'

/** A place to talk, and where one reply was given. */
export async function answered(options: SlackOptions & FakeBotOptions = {}) {
  const bot = fakeBot(options)
  const place = await workplace(bot, options)
  await place.give(mention({ text: 'Hello?', ts: root }))
  await bot.idle()
  const [message] = place.slack.space.messages
  assert.ok(message)
  const turn = /hone:up:(\w+)/.exec(visible(message))?.[1] ?? ''
  const votes = async () =>
    (await bot.store.feedback.ofTurn(turn)).votes.map(({ person, verdict }) => `${person} ${verdict}`)
  return { ...place, bot, message, turn, votes, [Symbol.asyncDispose]: place[Symbol.asyncDispose] }
}
