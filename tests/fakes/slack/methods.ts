import { refusedBlocks, refusedView } from './blocks.ts'
import type { Tier } from './limits.ts'
import { appId, botId, botUser, type Message, team, type Workspace } from './workspace.ts'

type Json = Record<string, unknown>
type Answer = Json | string

/** One Web API method: what it needs, its rate limit, and what it does. A string is an error code. */
export interface Method {
  readonly required: readonly string[]
  readonly tier: Tier
  readonly run: (args: Json, space: Workspace, now: number) => Answer
}

/** Streams end by themselves after about five minutes. */
const streamLifeMs = 300_000
const longestMarkdown = 12_000

export const methods: Readonly<Record<string, Method>> = {
  'auth.test': {
    required: [],
    tier: 'status',
    run: () => ({ user_id: botUser, bot_id: botId, team_id: team, team: 'Acme', user: 'hone' }),
  },
  'chat.postMessage': { required: ['channel'], tier: 4, run: post },
  'chat.update': { required: ['channel', 'ts'], tier: 3, run: update },
  'chat.delete': {
    required: ['channel', 'ts'],
    tier: 3,
    run: ({ channel, ts }, { messages, find }) => {
      const message = find(channel, ts)
      if (!message) return 'message_not_found'
      messages.splice(messages.indexOf(message), 1)
      return { channel, ts }
    },
  },
  'chat.postEphemeral': {
    required: ['channel', 'user'],
    tier: 4,
    run: (args, space) => {
      const refused = content(args)
      if (refused) return refused
      const { channel, user, text = '', blocks = [] } = args
      if (/^[UW]/.test(String(channel))) return 'channel_not_found'
      space.ephemerals.push({
        channel: String(channel),
        user: String(user),
        text: String(text || args['markdown_text'] || ''),
        blocks: blocks as Json[],
      })
      return { message_ts: space.nextTs() }
    },
  },
  'chat.startStream': { required: ['channel'], tier: 2, run: startStream },
  'chat.appendStream': { required: ['channel', 'ts'], tier: 4, run: appendStream },
  'chat.stopStream': { required: ['channel', 'ts'], tier: 2, run: stopStream },
  'views.open': { required: ['trigger_id', 'view'], tier: 4, run: (args, space) => view(args, space.modals) },
  'views.update': { required: ['view_id', 'view'], tier: 4, run: (args, space) => view(args, space.modals) },
  'views.publish': {
    required: ['user_id', 'view'],
    tier: 4,
    run: (args, space) => {
      const refused = refusedView(args['view'])
      if (refused.length > 0) return invalid(refused)
      space.homes.set(String(args['user_id']), args['view'] as Json)
      return { view: args['view'] as Json }
    },
  },
  'agents.sessions.setStatus': { required: ['status'], tier: 3, run: (args, space) => kept(args, space.statuses) },
  'assistant.threads.setStatus': {
    required: ['channel_id', 'thread_ts', 'status'],
    tier: 'status',
    run: (args, space) => kept(args, space.statuses),
  },
  'assistant.threads.setSuggestedPrompts': {
    required: ['channel_id', 'prompts'],
    tier: 2,
    run: (args, space) => ((args['prompts'] as unknown[]).length > 4 ? 'too_many_prompts' : kept(args, space.prompts)),
  },
  'conversations.replies': { required: ['channel', 'ts'], tier: 3, run: replies },
  'conversations.open': { required: ['users'], tier: 3, run: (args) => ({ channel: { id: `D-${args['users']}` } }) },
  'apps.manifest.export': { required: ['app_id'], tier: 3, run: () => 'invalid_app' },
  'usergroups.users.list': { required: ['usergroup'], tier: 2, run: () => ({ users: ['UADMIN'] }) },
}

function kept(args: Json, list: Json[]): Answer {
  list.push(args)
  return {}
}

function invalid(messages: readonly string[]): Json {
  return {
    ok: false,
    error: 'invalid_blocks',
    response_metadata: { messages: messages.map((one) => `[ERROR] ${one}`) },
  }
}

/** What Slack says against the text and blocks of a message. */
function content(args: Json): Answer | undefined {
  const { text, markdown_text: markdown, blocks } = args
  if (!text && !markdown && !(blocks as unknown[] | undefined)?.length) return 'no_text'
  if (markdown && (text || blocks)) return 'markdown_text_conflict'
  if (String(markdown ?? '').length > longestMarkdown || String(text ?? '').length > 40_000) return 'msg_too_long'
  const refused = blocks ? refusedBlocks(blocks) : []
  return refused.length > 0 ? invalid(refused) : undefined
}

const textOf = (args: Json) => String(args['markdown_text'] ?? args['text'] ?? '')

function post(args: Json, space: Workspace): Answer {
  const refused = content(args)
  if (refused) return refused
  const message = space.add({
    channel: String(args['channel']),
    text: textOf(args),
    blocks: (args['blocks'] as Json[]) ?? [],
    ...(args['thread_ts'] ? { thread: String(args['thread_ts']) } : {}),
    ...(args['metadata'] ? { metadata: args['metadata'] as Json } : {}),
  })
  return { channel: message.channel, ts: message.ts, message: { text: message.text } }
}

function update(args: Json, space: Workspace, now: number): Answer {
  const refused = content(args)
  if (refused) return refused
  const message = space.find(args['channel'], args['ts'])
  if (!message) return 'message_not_found'
  if (message.user !== botUser) return 'cant_update_message'
  if (streams(message, now)) return 'streaming_state_conflict'
  delete message.streamingSince
  message.text = textOf(args)
  message.streamed = false
  message.blocks = (args['blocks'] as Json[]) ?? []
  message.edits += 1
  if (args['metadata']) message.metadata = args['metadata'] as Json
  return { channel: message.channel, ts: message.ts, text: message.text }
}

function streams(message: Message, now: number): boolean {
  return message.streamingSince !== undefined && now - message.streamingSince < streamLifeMs
}

function startStream(args: Json, space: Workspace, now: number): Answer {
  const { channel, thread_ts: thread, recipient_user_id: user, recipient_team_id: of } = args
  if (!String(channel).startsWith('D') && !user) return 'missing_recipient_user_id'
  if (!String(channel).startsWith('D') && !of) return 'missing_recipient_team_id'
  if (String(channel).startsWith('D') && !thread) return 'invalid_thread_ts'
  const message = space.add({
    channel: String(channel),
    ...(thread ? { thread: String(thread) } : {}),
    streamingSince: now,
    streamed: true,
  })
  const refused = take(message, args)
  if (refused) space.messages.splice(space.messages.indexOf(message), 1)
  return refused ?? { channel: message.channel, ts: message.ts }
}

function appendStream(args: Json, space: Workspace, now: number): Answer {
  const message = space.find(args['channel'], args['ts'])
  if (!message) return 'message_not_found'
  if (!streams(message, now)) return 'message_not_in_streaming_state'
  if (!args['markdown_text'] && !(args['chunks'] as unknown[] | undefined)?.length) return 'no_text'
  return take(message, args) ?? { channel: message.channel, ts: message.ts }
}

function stopStream(args: Json, space: Workspace, now: number): Answer {
  const message = space.find(args['channel'], args['ts'])
  if (!message) return 'message_not_found'
  if (!streams(message, now)) return 'message_not_in_streaming_state'
  const refused = args['blocks'] ? refusedBlocks(args['blocks']) : []
  if (refused.length > 0) return invalid(refused)
  const wrong = take(message, args)
  if (wrong) return wrong
  delete message.streamingSince
  message.blocks = (args['blocks'] as Json[]) ?? []
  if (args['metadata']) message.metadata = args['metadata'] as Json
  return { channel: message.channel, ts: message.ts, message: { text: message.text } }
}

/** Adds the text and chunks of a call to a streaming message, or says what is wrong with them. */
function take(message: Message, args: Json): Answer | undefined {
  const chunks = (args['chunks'] as Json[] | undefined) ?? []
  if (args['markdown_text'] && chunks.length > 0) return 'invalid_arguments'
  const text = `${args['markdown_text'] ?? ''}${chunks.map((one) => (one['type'] === 'markdown_text' ? one['text'] : '')).join('')}`
  if (text.length > longestMarkdown || message.text.length + text.length > longestMarkdown) return 'msg_too_long'
  for (const chunk of chunks) {
    if (chunk['type'] === 'markdown_text' || chunk['type'] === 'plan_update') continue
    if (chunk['type'] !== 'task_update' || !chunk['id'] || !chunk['title']) return 'invalid_chunks'
    if (!['pending', 'in_progress', 'complete', 'error'].includes(String(chunk['status']))) return 'invalid_chunks'
    const sources = (chunk['sources'] as Json[] | undefined) ?? []
    if (sources.some((one) => one['type'] !== 'url' || !one['url'] || !one['text'])) return 'invalid_chunks'
    if (['title', 'details', 'output'].some((name) => String(chunk[name] ?? '').length > 256)) return 'invalid_chunks'
    message.tasks.set(String(chunk['id']), chunk)
  }
  message.text += text
  return undefined
}

/** A task of a stream, as the message carries it. */
function taskCard({ id, title, status }: Json): Json {
  return { type: 'task_card', task_id: id, title, status }
}

function view(args: Json, list: Json[]): Answer {
  const refused = refusedView(args['view'])
  if (refused.length > 0) return invalid(refused)
  list.push(args['view'] as Json)
  return { view: { ...(args['view'] as Json), id: `V${list.length}` } }
}

function replies(args: Json, space: Workspace): Answer {
  const root = String(args['ts'])
  const whole = space.messages.filter(
    (one) => one.channel === args['channel'] && (one.ts === root || one.thread === root),
  )
  if (whole.length === 0) return 'thread_not_found'
  const thread = whole.find((one) => one.ts === root)?.thread
  const shown = thread ? space.messages.filter((one) => one.ts === thread || one.thread === thread) : whole
  const [from, to] = [Number(args['oldest'] ?? 0), Number(args['latest'] ?? Number.POSITIVE_INFINITY)]
  const within = shown.filter(({ ts }) => Number(ts) >= from && Number(ts) <= to)
  return {
    messages: within
      .slice(0, Number(args['limit'] ?? 1000))
      .map(({ ts, text, user, metadata, blocks, tasks, thread: in_ }) => ({
        type: 'message',
        ts,
        text,
        user,
        blocks: [...[...tasks.values()].map(taskCard), ...blocks],
        ...(user === botUser ? { bot_id: botId, app_id: appId } : {}),
        ...(in_ ? { thread_ts: in_ } : {}),
        ...(metadata && args['include_all_metadata'] ? { metadata } : {}),
      })),
  }
}
