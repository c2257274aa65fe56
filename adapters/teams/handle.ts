import { HoneError } from '../../src/errors.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Inbound } from '../../src/ports/channel.ts'
import { hostsOf } from '../shared/links.ts'
import { type Address, threadOf } from './address.ts'
import { type Commands, turnMs } from './commands.ts'
import { type InvokeAnswer, type Said, takeFeedback } from './feedback.ts'
import type { Incoming } from './parse.ts'
import { type Place, placeOf } from './place.ts'
import { type Hosts, plainMessage, sourcesText } from './render.ts'
import { type Activity, loggable, type TurnContext } from './sdk.ts'
import { say, type Voice } from './voice.ts'

/** What handling an activity needs. */
export interface Desk extends Voice {
  readonly bot: Bot
  readonly mode: 'answer' | 'observe'
  readonly commands: Commands
  readonly isAdmin: (place: Place) => boolean
}

export interface Arrival {
  readonly context: TurnContext
  readonly activity: Activity
  readonly address: Address
}

/**
 * Does what an activity asks for. False: it is for the host. A message is on disk when this resolves; the reply comes in
 * a turn of its own. Never throws.
 */
export async function handle(incoming: Incoming, arrival: Arrival, desk: Desk): Promise<boolean> {
  const { context, activity, address } = arrival
  const said: Said = {
    ...placeOf(activity),
    ...(activity.name ? { invoke: activity.name } : {}),
  }
  try {
    switch (incoming.kind) {
      case 'message':
      case 'again':
        if (desk.mode === 'observe') return false
        await receive(incoming, activity, desk)
        return true
      case 'sources':
        if (desk.mode === 'observe') return false
        await tellSources(address, desk)
        return true
      case 'command':
        await desk.commands.run(incoming.text, said)
        return true
      case 'board':
        await answer(context, await desk.commands.press(incoming.command, incoming.card, said))
        return true
      default: {
        const taken = await takeFeedback(incoming, said, desk)
        if (taken) await answer(context, taken)
        return taken !== undefined
      }
    }
  } catch (error) {
    desk.log.error('teams.activity.failed', { ...loggable(error), kind: incoming.kind })
    if (activity.type === 'invoke') await answer(context, { status: 500 }).catch(() => undefined)
    return true
  }
}

async function answer(context: TurnContext, value: InvokeAnswer): Promise<void> {
  await context.sendActivity({ type: 'invokeResponse', value })
}

type Talk = Extract<Incoming, { kind: 'message' | 'again' }>

async function receive(incoming: Talk, activity: Activity, desk: Desk): Promise<void> {
  const thread = threadOf(placeOf(activity).address)
  try {
    const event = await eventOf(incoming, activity, desk)
    if (event) await desk.bot.receive(event)
    else await tell(desk, thread, 'There is no reply to try again yet.')
  } catch (error) {
    if (!(error instanceof HoneError)) desk.log.error('teams.receive.failed', loggable(error))
    const what = error instanceof HoneError ? `${error.message} ${error.help}` : 'Your message could not be kept.'
    await tell(desk, thread, what)
  }
}

async function eventOf(incoming: Talk, activity: Activity, { bot, isAdmin }: Desk): Promise<Inbound | undefined> {
  const place = placeOf(activity)
  const { address, person, event } = place
  const thread = threadOf(address)
  const who = { person, ...(isAdmin(place) ? { admin: true } : {}) }
  const base = { id: event, channel: 'teams', tenant: address.tenant, thread, ...who, scopes: [], at: new Date() }
  if (incoming.kind === 'message') return { ...base, kind: 'message', text: incoming.text }
  const turn = await newestReply(thread, bot)
  return turn && { ...base, kind: 'retry', turn: turn.id }
}

async function tellSources(address: Address, desk: Desk): Promise<void> {
  const thread = threadOf(address)
  const turn = await newestReply(thread, desk.bot)
  const cited = turn?.sources.filter(({ number }) => turn.text.includes(`[${number}]`)) ?? []
  await tell(desk, thread, sourcesText(cited), hostsOf(cited))
}

/** Says something without keeping Teams waiting for long: it would send the activity again. */
async function tell(desk: Desk, thread: string, text: string, hosts?: Hosts): Promise<void> {
  const said = say(desk, thread, plainMessage(text, hosts)).catch((error: unknown) =>
    desk.log.error('teams.say.failed', loggable(error)),
  )
  await Promise.race([said, desk.clock.alarm(turnMs)])
}

async function newestReply(thread: string, bot: Bot) {
  const turn = (await bot.store.turns.history(thread, 20)).findLast(({ role }) => role === 'assistant')
  return turn?.role === 'assistant' ? turn : undefined
}
