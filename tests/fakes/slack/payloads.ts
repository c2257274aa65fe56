import { appId, botUser, team } from './workspace.ts'

type Json = Record<string, unknown>
let nth = 0

/** The envelope Slack puts round every event. */
export function envelope(event: Json, of = team): Json {
  nth += 1
  return {
    token: 'verification',
    team_id: of,
    context_team_id: of,
    context_enterprise_id: null,
    api_app_id: appId,
    event,
    type: 'event_callback',
    event_id: `Ev${nth}`,
    event_time: 1_763_900_000,
    authorizations: [
      { enterprise_id: null, team_id: of, user_id: botUser, is_bot: true, is_enterprise_install: false },
    ],
    is_ext_shared_channel: false,
    event_context: '4-xyz',
  }
}

interface Said {
  readonly text: string
  readonly ts: string
  readonly user?: string
  readonly channel?: string
  readonly thread?: string
}

const message = (said: Said): Json => ({
  user: said.user ?? 'UANNA',
  ts: said.ts,
  client_msg_id: `c-${said.ts}`,
  text: said.text,
  team,
  blocks: [{ type: 'rich_text', block_id: 'b', elements: [] }],
  channel: said.channel ?? 'C1',
  event_ts: said.ts,
  ...(said.thread ? { thread_ts: said.thread } : {}),
})

export const mention = (said: Said): Json =>
  envelope({ type: 'app_mention', ...message({ ...said, text: `<@${botUser}> ${said.text}` }) })
export const directMessage = (said: Said): Json =>
  envelope({ type: 'message', channel_type: 'im', ...message({ channel: 'D1', ...said }) })
export const channelMessage = (said: Said): Json =>
  envelope({ type: 'message', channel_type: 'channel', ...message(said) })

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

/** A press on a button of a message. */
export function press(pressed: Pressed): Json {
  nth += 1
  const { channel = 'C1', ts = '1.1', thread = '1.0', user = 'UANNA' } = pressed
  return {
    type: 'block_actions',
    user: { id: user, username: user.toLowerCase(), name: user.toLowerCase(), team_id: team },
    api_app_id: appId,
    token: 'verification',
    container: { type: 'message', message_ts: ts, channel_id: channel, is_ephemeral: false, thread_ts: thread },
    trigger_id: `${nth}.${nth}.abc`,
    team: { id: team, domain: 'acme' },
    enterprise: null,
    is_enterprise_install: false,
    channel: { id: channel, name: 'general' },
    message: { type: 'message', user: botUser, ts, thread_ts: thread, text: 'a reply', team },
    ...(pressed.responseUrl ? { response_url: pressed.responseUrl } : {}),
    actions: [
      {
        type: pressed.type ?? 'button',
        action_id: pressed.action,
        block_id: 'b1',
        value: pressed.value,
        action_ts: `${nth}.5`,
        text: { type: 'plain_text', text: 'x' },
      },
    ],
  }
}

/** A modal sent off. `values` is what the inputs hold, by block and action id. */
export function submission(view: Json, values: Json, user = 'UANNA'): Json {
  return {
    type: 'view_submission',
    team: { id: team, domain: 'acme' },
    user: { id: user, username: user.toLowerCase(), name: user.toLowerCase(), team_id: team },
    api_app_id: appId,
    token: 'verification',
    trigger_id: '9.9.abc',
    view: {
      id: 'V1',
      team_id: team,
      app_id: appId,
      bot_id: 'BBOT',
      hash: 'h',
      root_view_id: 'V1',
      previous_view_id: null,
      ...view,
      state: { values },
    },
    response_urls: [],
    is_enterprise_install: false,
    enterprise: null,
  }
}

/** A message shortcut chosen on a message. */
export function shortcut(callback: string, message: Json, user = 'UANNA'): Json {
  return {
    type: 'message_action',
    callback_id: callback,
    trigger_id: '8.8.abc',
    action_ts: '8.8',
    message_ts: message['ts'],
    team: { id: team, domain: 'acme' },
    user: { id: user, name: user.toLowerCase(), username: user.toLowerCase(), team_id: team },
    channel: { id: 'C1', name: 'general' },
    message: { type: 'message', user: botUser, ...message },
    response_url: 'http://127.0.0.1:1/none',
    token: 'verification',
    is_enterprise_install: false,
    enterprise: null,
  }
}

/** A slash command. */
export function slash(text: string, responseUrl: string, user = 'UANNA'): Json {
  return {
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
  }
}

export const homeOpened = (tab: 'home' | 'messages', user = 'UANNA'): Json =>
  envelope({ type: 'app_home_opened', user, channel: 'D1', tab, event_ts: '1.1' })
export const stopPressed = (thread: string, channel = 'D1'): Json =>
  envelope({
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

export const reaction = (name: string, item: { channel: string; ts: string }, reacted: Reacted = {}): Json =>
  envelope({
    type: reacted.removed ? 'reaction_removed' : 'reaction_added',
    user: reacted.user ?? 'UANNA',
    reaction: name,
    item: { type: 'message', ...item },
    item_user: reacted.author ?? botUser,
    event_ts: '1.1',
  })
