import { z } from 'zod'
import type { Person, ThreadId } from '../../../src/ports/channel.ts'
import { type Control, parseControl } from '../../shared/control.ts'
import { type Place, personOf, threadOf } from '../place.ts'

/** In an app that was installed in a whole organisation, `team` is null and the person's own workspace counts. */
const who = {
  team: z.object({ id: z.string() }).nullish(),
  user: z.object({
    id: z.string(),
    team_id: z.string().nullish(),
    name: z.string().optional(),
    username: z.string().optional(),
  }),
}

const pressed = z.object({
  ...who,
  trigger_id: z.string().optional(),
  response_url: z.string().optional(),
  container: z.looseObject({
    channel_id: z.string().optional(),
    message_ts: z.string().optional(),
    thread_ts: z.string().optional(),
    view_id: z.string().optional(),
  }),
  view: z.object({ private_metadata: z.string() }).nullish(),
  actions: z
    .array(z.looseObject({ action_id: z.string(), action_ts: z.string(), value: z.string().optional() }))
    .min(1),
})

/** A press on one of Hone's buttons. */
export interface Pressed {
  readonly team: string
  readonly user: string
  readonly person: Person
  readonly action: string
  readonly value: string
  readonly control?: Control
  /** Opens a modal, within three seconds. */
  readonly trigger: string
  /** Where the button stands, or the reply that its modal is about; App Home has no channel. */
  readonly place?: Place
  /** Time stamp of the message the button stands in. */
  readonly message?: string
  /** The modal or App Home that the button stands in. */
  readonly view?: string
  /** Tells one press from the next. */
  readonly at: string
}

export function parsePress(body: unknown): Pressed | null {
  const { data } = pressed.safeParse(body)
  const action = data?.actions[0]
  const by = personIn(data)
  if (!data || !action || !by) return null
  const { channel_id: channel, thread_ts: thread, message_ts: ts, view_id: view } = data.container
  const shown = aboutIn(data.view?.private_metadata)
  const place = channel
    ? placeIn(by.team, channel, thread ?? ts)
    : shown && placeIn(by.team, shown.channel, shown.thread)
  const control = parseControl(action.value)
  return {
    ...by,
    action: action.action_id,
    value: action.value ?? '',
    ...(control ? { control } : {}),
    trigger: data.trigger_id ?? '',
    ...(place ? { place } : {}),
    ...(ts ? { message: ts } : {}),
    ...(view ? { view } : {}),
    at: action.action_ts,
  }
}

function placeIn(team: string, channel: string, thread?: string): Place {
  return { team, channel, ...(thread ? { thread } : {}) }
}

function personIn(data: z.infer<z.ZodObject<typeof who>> | undefined, installed?: string | null) {
  const team = installed ?? data?.team?.id ?? data?.user.team_id
  if (!data || !team) return undefined
  const { id: user, name, username } = data.user
  return { team, user, person: personOf(team, user, name ?? username ?? user) }
}

/** What the correction modal needs to know when it comes back. */
const about = z.object({ turn: z.string(), channel: z.string(), thread: z.string() })
export type About = z.infer<typeof about>

const state = z.record(
  z.string(),
  z.record(
    z.string(),
    z.looseObject({ value: z.string().nullish(), selected_option: z.object({ value: z.string() }).nullish() }),
  ),
)
const submitted = z.object({
  ...who,
  view: z.object({
    private_metadata: z.string(),
    state: z.object({ values: state }).nullish(),
    app_installed_team_id: z.string().nullish(),
  }),
})

/** The correction modal, sent off or closed. */
export interface Corrected {
  readonly team: string
  readonly user: string
  readonly person: Person
  readonly about: About
  readonly place: Place
  readonly reason?: string
  readonly better?: string
}

export function parseCorrection(body: unknown): Corrected | null {
  const { data } = submitted.safeParse(body)
  const known = aboutIn(data?.view.private_metadata)
  const by = personIn(data, data?.view.app_installed_team_id)
  if (!data || !known || !by) return null
  const values = data.view.state?.values ?? {}
  const reason = values['reason']?.['reason']?.selected_option?.value
  const better = values['better']?.['better']?.value?.trim()
  const place = placeIn(by.team, known.channel, known.thread)
  return { ...by, about: known, place, ...(reason ? { reason } : {}), ...(better ? { better } : {}) }
}

function aboutIn(metadata = ''): About | undefined {
  try {
    return about.safeParse(JSON.parse(metadata)).data
  } catch {
    return undefined
  }
}

const onMessage = z.object({
  ...who,
  trigger_id: z.string(),
  channel: z.object({ id: z.string() }),
  message: z.looseObject({ ts: z.string(), thread_ts: z.string().optional(), blocks: z.array(z.unknown()).optional() }),
})

/** The message shortcut, chosen on a message; `turn` is absent when that is no reply of Hone's. */
export interface Chosen {
  readonly team: string
  readonly user: string
  readonly person: Person
  readonly trigger: string
  readonly place: Place
  readonly turn?: string
}

export function parseShortcut(body: unknown): Chosen | null {
  const { data } = onMessage.safeParse(body)
  const by = personIn(data)
  if (!data || !by) return null
  const { channel, message } = data
  const turn = turnIn(message.blocks)
  const place = placeIn(by.team, channel.id, message.thread_ts ?? message.ts)
  return { ...by, trigger: data.trigger_id, place, ...(turn ? { turn } : {}) }
}

/** The turn that a message carries, from its own buttons: no table to look it up in. What its words say counts for nothing. */
export function turnIn(blocks: unknown): string | undefined {
  const controls = valuesIn(blocks).map(parseControl)
  return controls.find((control) => control?.action === 'up' || control?.action === 'retry')?.id
}

/** The values of all buttons in there. */
function valuesIn(node: unknown): readonly unknown[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, inner]) => (key === 'value' ? [inner] : valuesIn(inner)))
}

const commanded = z.object({
  team_id: z.string(),
  user_id: z.string(),
  user_name: z.string().optional(),
  channel_id: z.string(),
  thread_ts: z.string().optional(),
  text: z.string().default(''),
})

/** A slash command. */
export interface Commanded {
  readonly team: string
  readonly user: string
  readonly person: Person
  readonly place: Place
  readonly thread: ThreadId
  readonly text: string
}

export function parseCommand(body: unknown): Commanded | null {
  const { data } = commanded.safeParse(body)
  if (!data) return null
  const { team_id: team, user_id: user, user_name: name, channel_id: channel, thread_ts: thread } = data
  const place = placeIn(team, channel, thread)
  return { team, user, person: personOf(team, user, name), place, thread: threadOf(place), text: data.text.trim() }
}
