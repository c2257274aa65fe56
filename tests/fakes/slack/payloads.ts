import type {
  BlockAction,
  ButtonAction,
  EnvelopedEvent,
  FeedbackButtonsAction,
  MessageShortcut,
  SlashCommand,
  types,
  ViewClosedAction,
  ViewSubmitAction,
} from '@slack/bolt'
import { appId, botUser, team } from './workspace.ts'

type Json = Record<string, unknown>
let nth = 0

/** A payload as Slack's own types have it, with what Slack sends besides those. */
const recorded = <T extends object>(payload: T, besides: Json = {}): Json => ({ ...payload, ...besides })

/** The envelope Slack puts round every event. */
export function envelope(event: Json, of = team): Json {
  nth += 1
  return recorded<EnvelopedEvent>(
    {
      token: 'verification',
      team_id: of,
      context_team_id: of,
      api_app_id: appId,
      event: { type: 'message', ...event },
      type: 'event_callback',
      event_id: `Ev${nth}`,
      event_time: 1_763_900_000,
      authorizations: [
        { enterprise_id: null, team_id: of, user_id: botUser, is_bot: true, is_enterprise_install: false },
      ],
      is_ext_shared_channel: false,
    },
    { context_enterprise_id: null, event_context: '4-xyz' },
  )
}

const enveloped = <T extends object>(event: T): Json => envelope(recorded<T>(event))

interface Said {
  readonly text: string
  readonly ts: string
  readonly user?: string
  readonly channel?: string
  readonly thread?: string
}

const message = (said: Said) => ({
  user: said.user ?? 'UANNA',
  ts: said.ts,
  client_msg_id: `c-${said.ts}`,
  text: said.text,
  team,
  blocks: [{ type: 'rich_text', block_id: 'b', elements: [] } as const],
  channel: said.channel ?? 'C1',
  event_ts: said.ts,
  ...(said.thread ? { thread_ts: said.thread } : {}),
})

export const mention = (said: Said): Json =>
  enveloped<types.AppMentionEvent>({
    type: 'app_mention',
    ...message({ ...said, text: `<@${botUser}> ${said.text}` }),
  })
export const directMessage = (said: Said): Json =>
  enveloped<types.GenericMessageEvent>({
    type: 'message',
    subtype: undefined,
    channel_type: 'im',
    ...message({ channel: 'D1', ...said }),
  })
export const channelMessage = (said: Said): Json =>
  enveloped<types.GenericMessageEvent>({
    type: 'message',
    subtype: undefined,
    channel_type: 'channel',
    ...message(said),
  })

/** A file in a direct message. */
export function fileShared({ url, ...said }: Omit<Said, 'text'> & { readonly url: string }): Json {
  const file = {
    ...{ id: 'F1', name: 'parking.md', title: 'parking.md', mimetype: 'text/markdown', filetype: 'markdown' },
    ...{
      pretty_type: 'Markdown',
      size: 45,
      mode: 'hosted' as const,
      created: 1_763_900_000,
      user: said.user ?? 'UANNA',
    },
    ...{ editable: false, is_external: false, external_type: '', display_as_bot: false, username: '' },
    ...{ is_public: false, public_url_shared: false, channels: [], groups: [] },
    ...{ url_private: url, url_private_download: url, permalink: 'https://acme.slack.com/files/UANNA/F1/parking.md' },
  }
  return enveloped<types.FileShareMessageEvent>({
    type: 'message',
    subtype: 'file_share',
    upload: false,
    channel_type: 'im',
    files: [file],
    ...message({ channel: 'D1', ...said, text: '' }),
  })
}

export const threadStarted = (thread: string): Json =>
  enveloped<types.AssistantThreadStartedEvent>({
    type: 'assistant_thread_started',
    assistant_thread: { user_id: 'UANNA', channel_id: 'D1', thread_ts: thread, context: {} },
    event_ts: '1.1',
  })

/** Who does something that is no event, and in which app. */
const acting = (user: string) => ({
  team: { id: team, domain: 'acme' },
  user: { id: user, username: user.toLowerCase(), name: user.toLowerCase(), team_id: team },
  api_app_id: appId,
  token: 'verification',
  is_enterprise_install: false,
})

interface Pressed {
  readonly value: string
  readonly action: string
  readonly type?: string
  readonly user?: string
  readonly channel?: string
  readonly ts?: string
  readonly thread?: string
  readonly responseUrl?: string
}

type Press = BlockAction<ButtonAction | FeedbackButtonsAction>

/** A press on a button, wherever it stands. */
function pressOn({ value, action, type = 'button', user = 'UANNA' }: Pressed) {
  nth += 1
  const text = { type: 'plain_text', text: 'x' } as const
  const pressed = { action_id: action, block_id: 'b1', action_ts: `${nth}.5`, value, text }
  return {
    type: 'block_actions' as const,
    ...acting(user),
    trigger_id: `${nth}.${nth}.abc`,
    actions: [{ type: type as 'button', ...pressed }],
  }
}

/** A press on a button of a message. */
export function press(pressed: Pressed): Json {
  const { channel = 'C1', ts = '1.1', thread = '1.0', responseUrl = 'http://127.0.0.1:1/none' } = pressed
  return recorded<Press>(
    {
      ...pressOn(pressed),
      container: { type: 'message', message_ts: ts, channel_id: channel, is_ephemeral: false, thread_ts: thread },
      channel: { id: channel, name: 'general' },
      message: { type: 'message', user: botUser, ts, thread_ts: thread, text: 'a reply', team },
      response_url: responseUrl,
    },
    { enterprise: null },
  )
}

/** A press on a button of a modal or of App Home. */
export function pressInView(pressed: Pressed, view: Json): Json {
  const where = { container: { type: 'view', view_id: 'V1' }, view: viewOf(view, {}) }
  // Slack sends an address to respond to only where there is a message; its types ask for one everywhere.
  return recorded<Omit<Press, 'response_url'>>({ ...pressOn(pressed), ...where }, { enterprise: null })
}

/** A modal or App Home as it comes back. */
function viewOf(view: Json, values: Json): ViewSubmitAction['view'] {
  const rest = { id: 'V1', team_id: team, app_id: appId, bot_id: 'BBOT', hash: 'h', root_view_id: 'V1' }
  const shown = { clear_on_close: false, notify_on_close: false, previous_view_id: null, private_metadata: '' }
  return { ...rest, ...shown, ...view, state: { values } } as ViewSubmitAction['view']
}

/** A modal sent off. `values` is what the inputs hold, by block and action id. */
export function submission(view: Json, values: Json, user = 'UANNA'): Json {
  return recorded<ViewSubmitAction>(
    { type: 'view_submission', ...acting(user), trigger_id: '9.9.abc', view: viewOf(view, values), response_urls: [] },
    { enterprise: null },
  )
}

/** A modal that was closed without being sent off. */
export function viewClosed(view: Json, user = 'UANNA'): Json {
  return recorded<ViewClosedAction>(
    { type: 'view_closed', ...acting(user), view: viewOf(view, {}), is_cleared: false },
    { enterprise: null },
  )
}

/** A message shortcut chosen on a message. */
export function shortcut(callback: string, on: Json, user = 'UANNA'): Json {
  const { api_app_id: _, ...by } = acting(user)
  return recorded<MessageShortcut>(
    {
      type: 'message_action',
      ...by,
      callback_id: callback,
      trigger_id: '8.8.abc',
      action_ts: '8.8',
      message_ts: String(on['ts']),
      channel: { id: 'C1', name: 'general' },
      message: { type: 'message', user: botUser, ts: String(on['ts']), ...on },
      response_url: 'http://127.0.0.1:1/none',
    },
    { enterprise: null },
  )
}

/** A slash command. */
export function slash(text: string, responseUrl: string, user = 'UANNA'): Json {
  return recorded<SlashCommand>({
    token: 'verification',
    team_id: team,
    team_domain: 'acme',
    channel_id: 'C1',
    channel_name: 'general',
    user_id: user,
    user_name: user.toLowerCase(),
    command: '/hone',
    text,
    api_app_id: appId,
    is_enterprise_install: 'false',
    response_url: responseUrl,
    trigger_id: '7.7.abc',
  })
}

export const homeOpened = (tab: 'home' | 'messages', user = 'UANNA'): Json =>
  enveloped<types.AppHomeOpenedEvent>({ type: 'app_home_opened', user, channel: 'D1', tab, event_ts: '1.1' })

export const stopPressed = (thread: string, channel = 'D1'): Json =>
  enveloped<types.AgentSessionStoppedEvent>({
    type: 'agent_session_stopped',
    channel,
    user: 'UANNA',
    thread_ts: thread,
    streaming_message_ts: [],
    event_ts: '1.1',
  })

interface Reacted {
  readonly user?: string
  readonly removed?: boolean
  /** Who wrote the message. */
  readonly author?: string
}

export function reaction(name: string, on: { channel: string; ts: string }, reacted: Reacted = {}): Json {
  const item = { type: 'message' as const, ...on }
  const said = { user: reacted.user ?? 'UANNA', reaction: name, item, item_user: reacted.author ?? botUser }
  return reacted.removed
    ? enveloped<types.ReactionRemovedEvent>({ type: 'reaction_removed', ...said, event_ts: '1.1' })
    : enveloped<types.ReactionAddedEvent>({ type: 'reaction_added', ...said, event_ts: '1.1' })
}
