import { awaitForgetting } from './cut-short.ts'
import type { Bot, CommandReply, CommandRequest } from './ports/bot.ts'

/** What commands about oneself need. */
export interface PersonalParts {
  readonly bot: Bot
  /** Channels whose votes may be trained on. */
  readonly trainOn: readonly string[]
  /** Deletes all there is of a person; answers how many rows that were. */
  readonly forget: (person: string) => Promise<number>
  /** People are told what their votes changed. */
  readonly receipts: boolean
}

export async function receipts(
  [wish]: readonly string[],
  { person }: CommandRequest,
  { bot, receipts: given }: PersonalParts,
): Promise<CommandReply> {
  const { wishes } = bot.store
  if (wish !== undefined && wish !== 'on' && wish !== 'off') return { ok: false, text: '`receipts` knows on and off.' }
  if (wish) await wishes.setReceipts(person.id, wish === 'on')
  const wanted = await wishes.receipts(person.id)
  const nobody = given ? '' : ' This bot tells nobody, though: its operator has left it off.'
  const text = wanted
    ? 'You are told once, in private, when a version that learned from your vote answers better where you asked for it.'
    : 'You are not told what your votes changed.'
  return { ok: true, text: text + nobody, data: { wanted, given } }
}

export async function privacy(
  _: readonly string[],
  { channel }: CommandRequest,
  { trainOn }: PersonalParts,
): Promise<CommandReply> {
  const trained = trainOn.includes(channel)
  return {
    ok: true,
    text: [
      'Kept on this machine: what you write, the replies, your votes and your corrections.',
      trained
        ? 'Your votes may train this bot’s own model, here, on this machine.'
        : 'Nothing from this channel is used for training.',
      '`forget-me confirm` deletes all of it.',
    ].join('\n'),
  }
}

export async function forgetMe(
  [sure]: readonly string[],
  request: CommandRequest,
  { bot, forget }: PersonalParts,
): Promise<CommandReply> {
  if (sure !== 'confirm')
    return {
      ok: false,
      text: 'This deletes what you wrote and every vote of yours, for good. Say `forget-me confirm`.',
    }
  const awaited = await awaitForgetting(request, bot.store)
  const rows = await forget(request.person.id)
  await bot.store.inbox.settle(awaited, 'answered')
  return {
    ok: true,
    text: `Deleted: ${rows} rows. The next training run starts from the base without them.`,
    data: { rows },
  }
}
