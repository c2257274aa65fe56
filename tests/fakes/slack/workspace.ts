type Json = Record<string, unknown>

/** A message as people see it. */
export interface Message {
  readonly channel: string
  readonly ts: string
  readonly thread?: string
  /** The bot's, unless a person's id stands here. */
  readonly user: string
  text: string
  blocks: Json[]
  tasks: Map<string, Json>
  metadata?: Json
  /** When the stream began; absent once it is stopped, and for messages that never streamed. */
  streamingSince?: number
  /** Its text was streamed and stands above its blocks; elsewhere blocks replace the text. */
  streamed?: boolean
  edits: number
}

/** What of a message people see, as text: its words and, as JSON, its blocks. */
export function visible({ text, blocks, streamed }: Message): string {
  return `${streamed || blocks.length === 0 ? text : ''}${blocks.length > 0 ? JSON.stringify(blocks) : ''}`
}

/** What is in one Slack workspace: messages, modals, home tabs, what only one person sees. */
export interface Workspace {
  readonly messages: Message[]
  readonly ephemerals: {
    readonly channel: string
    readonly user: string
    readonly text: string
    readonly blocks: Json[]
  }[]
  readonly modals: Json[]
  readonly homes: Map<string, Json>
  readonly prompts: Json[]
  readonly statuses: Json[]
  /** A time stamp no message has yet. */
  nextTs(): string
  find(channel: unknown, ts: unknown): Message | undefined
  add(message: Partial<Message> & { readonly channel: string }): Message
}

/** An empty workspace. `BOT` writes unless another user is named. */
export function workspace(): Workspace {
  let last = 1_763_900_000_000_000
  const messages: Message[] = []
  const nextTs = () => {
    last += 1_000_001
    return `${Math.floor(last / 1e6)}.${String(last % 1e6).padStart(6, '0')}`
  }
  return {
    messages,
    ephemerals: [],
    modals: [],
    homes: new Map(),
    prompts: [],
    statuses: [],
    nextTs,
    find: (channel, ts) => messages.find((one) => one.channel === channel && one.ts === ts),
    add(given) {
      const message = {
        ts: nextTs(),
        user: botUser,
        text: '',
        blocks: [],
        tasks: new Map(),
        edits: 0,
        ...given,
      } as Message
      messages.push(message)
      return message
    },
  }
}

export const botUser = 'UBOT'
export const botId = 'BBOT'
export const team = 'T1'
export const appId = 'A1'
