import { HoneError } from '../../src/errors.ts'
import type { ThreadId } from '../../src/ports/channel.ts'
import type { DuelOutcome } from '../../src/ports/store.ts'
import type { Control } from '../shared/control.ts'
import { keep } from './hear.ts'
import {
  type About,
  type Corrected,
  type Pressed,
  parseCorrection,
  parsePress,
  parseShortcut,
} from './parse/interaction.ts'
import { isIn, placeOf, scopeOf, tenantOf, threadOf } from './place.ts'
import { againModal, correctionModal, reasons } from './render/modal.ts'
import type { Site } from './site.ts'
import { whisper } from './whisper.ts'

/** Acknowledges to Slack: only once what was said is on disk. */
export type Ack = () => Promise<void>

const outcomes: Readonly<Partial<Record<Control['action'], DuelOutcome>>> = {
  'duel-left': 'left',
  'duel-right': 'right',
  'duel-tie': 'tie',
  'duel-bad': 'both-bad',
}

/** A press on a button under a reply. */
export async function pressed(site: Site, body: unknown, ack: Ack): Promise<void> {
  const press = parsePress(body)
  if (!press?.control) return ack()
  const { control, team, person, user, place } = press
  const tenant = tenantOf(team)
  const said = { tenant, person }
  const outcome = outcomes[control.action]
  if (outcome) {
    await site.bot.feedback({ kind: 'duel', duel: control.id, outcome, ...said })
    await ack()
    if (place) await whisper(site, place, user, await revealed(site, control.id, outcome))
    return
  }
  switch (control.action) {
    case 'up':
    case 'down':
    case 'withdraw':
      return vote(site, press, control, ack)
    case 'retry':
      return retry(site, press, control.id, ack)
    case 'stop':
      if (control.id.startsWith(`${tenant}:`)) site.bot.stop(control.id)
      return ack()
    case 'why':
      await ack()
      return tellWhy(site, press, control.id)
    case 'correct':
      await openModal(site, press, control.id, false)
      return ack()
  }
}

const verdicts = { up: 'up', down: 'down', withdraw: 'none' } as const

async function vote(site: Site, press: Pressed, { action, id }: Control, ack: Ack): Promise<void> {
  const verdict = verdicts[action as keyof typeof verdicts]
  const { person, team, place, user } = press
  await site.bot.feedback({ kind: 'vote', turn: id, verdict, tenant: tenantOf(team), person })
  await ack()
  if (verdict === 'down' && (await openModal(site, press, id, true))) return
  const text = { up: 'Thanks for the 👍.', down: 'Thanks, that helps.', none: 'Your vote is withdrawn.' }[verdict]
  if (place) await whisper(site, place, user, text, verdict === 'none' ? undefined : id)
}

/** Opens the correction modal; false when Slack no longer lets it (the press is too old). */
async function openModal(
  site: Site,
  { team, place, trigger }: Pick<Pressed, 'team' | 'place' | 'trigger'>,
  turn: string,
  reason: boolean,
) {
  const kept = await site.bot.store.turns.get(turn)
  if (kept?.role !== 'assistant' || kept.tenant !== tenantOf(team)) return false
  const about: About = {
    turn,
    channel: place?.channel ?? placeOf(kept.thread).channel,
    thread: place?.thread ?? placeOf(kept.thread).thread ?? '',
  }
  try {
    const where = { team, channel: about.channel }
    await site.api.call('views.open', where, (client) =>
      client.views.open({
        trigger_id: trigger,
        view: correctionModal(kept, about, { reasonAsked: reason, answers: site.answers }),
      }),
    )
    return true
  } catch (error) {
    site.log.info('slack.modal.failed', { turn, error: String(error) })
    return false
  }
}

/** *Try again*: an event like a message, so on disk before it is acknowledged. */
async function retry(site: Site, press: Pressed, turn: string, ack: Ack): Promise<void> {
  const { team, person, at, view } = press
  const kept = await site.bot.store.turns.get(turn)
  if (kept?.role !== 'assistant' || kept.tenant !== tenantOf(team))
    throw new HoneError('NOT_FOUND', 'The reply to try again is not there any more.')
  const place = placeOf(kept.thread)
  await keep(site, {
    kind: 'retry',
    id: `slack:${team}:${place.channel}:retry:${at}`,
    channel: 'slack',
    tenant: tenantOf(team),
    thread: kept.thread,
    person,
    scopes: [scopeOf(place)],
    at: new Date(Number(at) * 1000 || Date.now()),
    turn,
  })
  await ack()
  if (view) await sayItTriesAgain(site, view, { turn, channel: place.channel, thread: place.thread ?? '' }, team)
}

/** In the modal, which covers the conversation. Never throws: it is a courtesy. */
async function sayItTriesAgain({ api, log }: Site, view: string, about: About, team: string): Promise<void> {
  try {
    const update = { view_id: view, view: againModal(about) }
    await api.call('views.update', { team, channel: about.channel }, (client) => client.views.update(update))
  } catch (error) {
    log.info('slack.modal.stale', { turn: about.turn, error: String(error) })
  }
}

async function tellWhy(site: Site, { team, person, user, place }: Pressed, turn: string): Promise<void> {
  if (!place) return
  const sees = (thread: ThreadId) => isIn(place, thread)
  const where = { tenant: tenantOf(team), channel: 'slack', thread: threadOf(place), person, admin: false, sees }
  const { text } = await site.bot.command({ text: `why ${turn}`, ...where })
  await whisper(site, place, user, text)
}

async function revealed(site: Site, duel: string, outcome: DuelOutcome): Promise<string> {
  const [left, right] = await Promise.all(duel.split('.').map((id) => site.bot.store.turns.get(id)))
  const version = (turn: typeof left) => (turn?.role === 'assistant' ? turn.version : '?')
  const said = { left: 'You chose A', right: 'You chose B', tie: 'A tie', 'both-bad': 'Neither was good' }[outcome]
  return `${said}: A was ${version(left)}, B was ${version(right)}. Thanks!`
}

/** The modal, sent off: the reason goes with the vote, a better answer is a correction. */
export async function corrected(site: Site, body: unknown, ack: Ack): Promise<void> {
  const sent = parseCorrection(body)
  if (!sent) return ack()
  const { about, reason, person, team } = sent
  const said = { tenant: tenantOf(team), person, turn: about.turn }
  if (reason) await site.bot.feedback({ kind: 'vote', verdict: 'down', reason: reasons[reason] ?? reason, ...said })
  const better = await betterAnswer(site, sent)
  if (better) await site.bot.feedback({ kind: 'correction', text: better, ...said })
  await ack()
  await thank(site, sent, better ? 'Thanks for the better answer.' : 'Thanks, that helps.')
}

/** The modal, closed: the vote stands, without a reason, and can be taken back. */
export async function closed(site: Site, body: unknown, ack: Ack): Promise<void> {
  const left = parseCorrection(body)
  await ack()
  if (left) await thank(site, left, 'Thanks, that helps.')
}

function thank(site: Site, { about, place, user }: Corrected, text: string): Promise<void> {
  return whisper(site, place, user, text, about.turn)
}

/** The reply left as it was is no better answer. */
async function betterAnswer(site: Site, { better, about }: Corrected): Promise<string | undefined> {
  const turn = await site.bot.store.turns.get(about.turn)
  return better && better !== turn?.text.trim() ? better : undefined
}

/** *Suggest a better answer*, from the menu of any reply, however old. */
export async function shortcutChosen(site: Site, body: unknown, ack: Ack): Promise<void> {
  const chosen = parseShortcut(body)
  await ack()
  if (!chosen) return
  const { place, user, turn } = chosen
  // What another app's message says it is may be a reply of a channel that they can't see.
  const here = turn && isIn(place, (await site.bot.store.turns.get(turn))?.thread ?? '')
  if (here && (await openModal(site, chosen, turn, false))) return
  await whisper(site, place, user, 'That message is no reply of this bot: choose one that has thumbs below it.')
}
