import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { ownTime } from '../clock.ts'

type Json = Record<string, unknown>

/** The server's end of Socket Mode. */
export interface SocketMode {
  readonly connected: boolean
  /** How often a client has connected. */
  readonly connections: number
  /**
   * Delivers one envelope and resolves with what came back with its acknowledgement; rejects without one in 3 seconds.
   * `attempt` counts redeliveries of the same event; each has an envelope id of its own.
   */
  send(type: 'events_api' | 'interactive' | 'slash_commands', payload: Json, attempt?: number): Promise<Json>
  /** Asks the client to come again, as Slack does when it moves a connection. */
  recycle(): void
  /** Breaks the connection without a word. */
  drop(): void
  close(): void
}

const ackMs = 3000
const { wait } = ownTime()

/** Accepts the SDK's connections on `/socket`. */
export function socketMode(server: Server, changed: () => void): SocketMode {
  const sockets = new WebSocketServer({ server, path: '/socket' })
  const waiting = new Map<string, (payload: Json) => void>()
  let current: WebSocket | undefined
  let connections = 0
  sockets.on('connection', (socket) => {
    current = socket
    connections += 1
    socket.on('message', (data) => {
      const { envelope_id: id, payload = {} } = JSON.parse(String(data)) as { envelope_id: string; payload?: Json }
      waiting.get(id)?.(payload)
      waiting.delete(id)
    })
    socket.on('close', () => {
      if (current === socket) current = undefined
      changed()
    })
    socket.send(JSON.stringify({ type: 'hello', num_connections: 1, connection_info: { app_id: 'A1' } }))
    changed()
  })
  return {
    get connected() {
      return current !== undefined
    },
    get connections() {
      return connections
    },
    send(type, payload, attempt = 0) {
      const id = randomUUID()
      const accepts = type !== 'events_api'
      const envelope = { envelope_id: id, type, payload, accepts_response_payload: accepts }
      const retry = attempt > 0 ? { retry_attempt: attempt, retry_reason: 'timeout' } : {}
      return new Promise((resolve, reject) => {
        void wait(ackMs).then(() => {
          waiting.delete(id)
          reject(new Error('not acknowledged within 3 seconds'))
        })
        waiting.set(id, resolve)
        current?.send(JSON.stringify({ ...envelope, ...retry }))
      })
    },
    recycle() {
      current?.send(JSON.stringify({ type: 'disconnect', reason: 'refresh_requested' }))
    },
    drop: () => current?.terminate(),
    close() {
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
    },
  }
}
