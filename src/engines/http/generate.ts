import { HoneError } from '../../errors.ts'
import type { ChatMessage, Delta, GenerateOptions } from '../../ports/engine.ts'
import { convert, type Server, send } from './server.ts'
import { sse } from './sse.ts'
import { type Watchdog, watchdog } from './watchdog.ts'
import { type Counts, type Piece, readPiece, toUsage } from './wire.ts'

/** One generation: the body as the server takes it, and the prompt as the caller gave it. */
export interface Generation {
  readonly body: unknown
  readonly prompt: readonly ChatMessage[]
  readonly options: GenerateOptions
}

/** Streams one reply. Ends with one `end` delta; leaving the loop early ends the request on the server too. */
export async function* generate(server: Server, { body, prompt, options }: Generation): AsyncGenerator<Delta> {
  const dog = watchdog(options.signal)
  let counts: Counts = {}
  let pieces = 0
  let ended: 'stop' | 'length' | 'aborted' | undefined
  try {
    dog.signal.throwIfAborted()
    const response = await send(server, { to: 'chat/completions', body }, dog)
    for await (const piece of readPieces(response, server, dog)) {
      ended ??= piece.ended
      counts = { ...counts, ...piece.counts }
      if (piece.text === '') continue
      pieces++
      dog.rest() // A reader who takes their time is not a silent server.
      yield { kind: 'text', text: piece.text }
      dog.arm(server.idleMs)
      if (options.signal?.aborted) break
    }
  } catch (error) {
    if (!options.signal?.aborted) throw convert(server, error, dog)
  } finally {
    dog.stop()
  }
  if (options.signal?.aborted && ended === undefined) ended = 'aborted'
  if (ended === undefined) {
    throw new HoneError('ENGINE_FAILED', `The server at ${server.root} closed the stream before the reply had ended.`)
  }
  yield { kind: 'end', reason: ended, usage: toUsage(counts, prompt, pieces) }
}

/** The messages of a response, streamed or whole. */
async function* readPieces(response: Response, server: Server, dog: Watchdog): AsyncGenerator<Piece> {
  if (!/event-stream/.test(response.headers.get('content-type') ?? '')) {
    const whole = readPiece(await response.text())
    yield { ...whole, ended: whole.ended ?? 'stop' }
    return
  }
  for await (const data of readEvents(response, server, dog)) {
    if (data.trim() === '[DONE]') {
      yield { text: '', ended: 'stop' }
      return
    }
    if (data !== '') yield readPiece(data)
  }
}

async function* readEvents(response: Response, server: Server, dog: Watchdog): AsyncGenerator<string> {
  const events = sse()
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    dog.arm(server.idleMs)
    yield* events.push(text)
  }
  yield* events.end()
}
