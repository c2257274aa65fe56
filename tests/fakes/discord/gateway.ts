import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { State } from './state.ts'
import { guildPayload, messageFor } from './world.ts'

interface Session {
  readonly id: string
  readonly shard: number
  readonly shards: number
  readonly intents: number
  readonly sent: { readonly t: string; readonly d: unknown; readonly s: number }[]
  socket?: WebSocket | undefined
}
type Payload = { readonly op: number; readonly d: Record<string, unknown> & { readonly seq: number } }

const intent = { guilds: 1 << 0, messages: 1 << 9, reactions: 1 << 10, direct: 1 << 12, content: 1 << 15 }

/** The gateway on loopback: hello, identify, heartbeat, resume, and the ways in which it goes wrong. */
export async function openGateway(state: State) {
  const sessions = new Map<string, Session>()
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  const gateway = {
    resumes: 0,
    /** Set: heartbeats are not answered. */
    zombie: false,
    /** Set: every session ends as soon as it has begun. */
    refusing: false,
    heartbeats: 0,
    get sockets(): number {
      return server.clients.size
    },
    /** Connections break without a word. */
    drop: () => each((socket) => socket.terminate()),
    /** Discord ends every connection, and says why. */
    end: (code: number) => each((socket) => socket.close(code)),
    /** Discord asks to connect again. */
    reconnect: () => each((socket) => send(socket, { op: 7, d: null })),
    /** Sessions are forgotten: a resume will be refused. */
    forget: () => sessions.clear(),
    /** Any frame, to see what the client makes of it. */
    raw: (t: string, d: unknown) => {
      for (const session of live()) emit(session, t, d)
    },
    async [Symbol.asyncDispose]() {
      each((socket) => socket.terminate())
      await new Promise((done) => server.close(done))
    },
  }
  const each = (what: (socket: WebSocket) => void) => {
    for (const socket of server.clients) what(socket)
  }
  const live = () => [...sessions.values()]
  const send = (socket: WebSocket | undefined, payload: unknown) => socket?.send(JSON.stringify(payload))

  function emit(session: Session, t: string, d: unknown) {
    const event = { t, d, s: session.sent.length + 1 }
    session.sent.push(event)
    send(session.socket, { op: 0, ...event })
  }

  state.dispatch = (event, data, guild) => {
    for (const session of live()) {
      const mine =
        guild === undefined ? session.shard === 0 : Number(BigInt(guild) >> 22n) % session.shards === session.shard
      if (mine && wanted(event, guild, session)) emit(session, event, visible(event, data, session))
    }
    state.changed()
  }
  const visible = (event: string, data: unknown, session: Session) =>
    event === 'MESSAGE_CREATE'
      ? messageFor(state.world, data as never, Boolean(session.intents & intent.content) && state.contentIntent)
      : data

  server.on('connection', (socket) => {
    let session: Session | undefined
    send(socket, { op: 10, d: { heartbeat_interval: state.heartbeatMs } })
    socket.on('close', () => {
      if (session?.socket === socket) session.socket = undefined
      state.changed()
    })
    socket.on('message', (data) => {
      const { op, d } = JSON.parse(String(data)) as Payload
      if (op === 1) {
        gateway.heartbeats += 1
        if (!gateway.zombie) send(socket, { op: 11 })
      }
      if (op === 2) session = identify(socket, d)
      if (op === 6) session = resume(socket, d)
      state.changed()
    })
  })

  function identify(socket: WebSocket, d: Payload['d']): Session | undefined {
    state.identifies.made += 1
    state.identifies.left -= 1
    if (d.token !== state.token) return void socket.close(4004)
    if (Number(d.intents) & intent.content && !state.contentIntent) return void socket.close(4014)
    if (gateway.refusing || state.identifies.left < 0) return void send(socket, { op: 9, d: false })
    const [shard = 0, shards = 1] = (d.shard ?? [0, 1]) as [number, number]
    const session: Session = {
      id: state.world.snowflake(),
      shard,
      shards,
      intents: Number(d.intents),
      sent: [],
      socket,
    }
    sessions.set(session.id, session)
    const guilds = state.world.guilds.filter(({ id }) => Number(BigInt(id) >> 22n) % shards === shard)
    emit(session, 'READY', {
      v: 10,
      user: state.world.bot,
      application: { id: state.world.bot.id, flags: state.application.flags },
      session_id: session.id,
      resume_gateway_url: state.gatewayUrl,
      shard: [shard, shards],
      guilds: guilds.map(({ id }) => ({ id, unavailable: true })),
    })
    for (const [type, data] of state.early) emit(session, type, data)
    for (const guild of guilds.filter(({ id }) => !state.late.has(id)))
      emit(session, 'GUILD_CREATE', guildPayload(state.world, guild))
    return session
  }

  function resume(socket: WebSocket, d: Payload['d']): Session | undefined {
    const session = sessions.get(String(d.session_id))
    if (!session) return void send(socket, { op: 9, d: false })
    gateway.resumes += 1
    session.socket = socket
    for (const event of session.sent.filter(({ s }) => s > d.seq)) send(socket, { op: 0, ...event })
    emit(session, 'RESUMED', {})
    return session
  }

  await once(server, 'listening')
  state.gatewayUrl = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  return gateway
}

/** Events come only with the intents that the session asked for. */
function wanted(event: string, guild: string | undefined, { intents }: Session): boolean {
  if (event === 'MESSAGE_CREATE') return Boolean(intents & (guild ? intent.messages : intent.direct))
  if (event.startsWith('MESSAGE_REACTION')) return Boolean(intents & intent.reactions)
  if (event.startsWith('THREAD')) return Boolean(intents & intent.guilds)
  return true
}
