import { asHoneError, HoneError } from '../../errors.ts'
import { type Context, createContext } from './context.ts'
import type { Calls, Failure, Reply, Request } from './protocol.ts'
import { branded, embedTokens, type Runtime, startRuntime } from './runtime.ts'

const running = new Map<number, AbortController>()
const contexts = new Map<number, Context>()
const busy = new Map<number, Set<Promise<unknown>>>()
let loaded: Runtime | undefined
let texts: [id: number, text: string][] = []

process.on('message', (request: Request) => void serve(request))
// The parent is gone, whatever the reason. Threads may be computing, so no orderly exit: nothing here needs one.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))

async function serve(request: Request): Promise<void> {
  if (request.op === 'abort') return running.get(request.id)?.abort()
  const stop = new AbortController()
  running.set(request.id, stop)
  try {
    const value = await answer(request, stop.signal)
    flush()
    tell({ kind: 'done', id: request.id, value })
  } catch (error) {
    flush()
    tell({ kind: 'failed', id: request.id, failure: failureOf(error) })
  } finally {
    running.delete(request.id)
  }
}

async function answer(request: Exclude<Request, { op: 'abort' }>, signal: AbortSignal): Promise<unknown> {
  switch (request.op) {
    case 'start':
      loaded = await startRuntime(request.input, (level, message) => tell({ kind: 'log', level, message }))
      return loaded.facts
    case 'open':
      return open(request.input)
    case 'close':
      return close(request.input.context)
    case 'generate': {
      const { context } = request.input
      return use(context, (one) => one.generate(request.input, (text) => say(request.id, text), signal))
    }
    case 'score':
      return use(request.input.context, (one) => one.score(request.input, signal))
    case 'count':
      return runtime().prompter.prompt(request.input.prompt, true).length
    case 'tokenize':
      return request.input.texts.map((text) => runtime().prompter.plain(text))
    case 'embed':
      return embed(request.input.texts, signal)
    default:
      return request satisfies never
  }
}

async function open(input: Calls['open']['in']): Promise<Calls['open']['out']> {
  if (runtime().facts.embeds) return { contextTokens: runtime().facts.trainedTokens }
  const context = createContext(runtime(), await runtime().open(input), input.parallel)
  contexts.set(input.context, context)
  return { contextTokens: context.contextTokens }
}

async function close(id: number): Promise<undefined> {
  const context = contexts.get(id)
  contexts.delete(id)
  // A sequence must not be disposed while llama.cpp computes on it.
  await Promise.allSettled(busy.get(id) ?? [])
  busy.delete(id)
  await context?.close()
}

async function use<T>(id: number, work: (context: Context) => Promise<T>): Promise<T> {
  if (runtime().facts.embeds)
    throw new HoneError('ENGINE_MISSING', 'The model makes embeddings; it can’t say anything.')
  const context = contexts.get(id)
  if (!context) throw new HoneError('ENGINE_FAILED', 'The engine has been disposed.')
  const users = busy.get(id) ?? new Set()
  busy.set(id, users)
  const job = work(context)
  users.add(job)
  try {
    return await job
  } finally {
    users.delete(job)
  }
}

async function embed(all: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
  const embedder = await runtime().embedder()
  const { model, prompter } = runtime()
  const vectors: Float32Array[] = []
  for (const text of all) {
    if (signal.aborted) throw new HoneError('CANCELLED', 'Embedding was stopped.')
    // Room for the tokens that the model itself puts around a text.
    const tokens = prompter.plain(text).slice(0, Math.min(embedTokens, model.trainContextSize) - 8)
    const vector = Float32Array.from((await embedder.getEmbeddingFor(branded(tokens))).vector)
    const length = Math.hypot(...vector) || 1
    vectors.push(vector.map((value) => value / length))
  }
  return vectors
}

function runtime(): Runtime {
  if (!loaded) throw new HoneError('ENGINE_FAILED', 'No model is loaded.')
  return loaded
}

/** Collects text; all that is said in one turn of the event loop goes to the parent as one message. */
function say(id: number, text: string): void {
  if (texts.length === 0) setImmediate(flush)
  texts.push([id, text])
}

function flush(): void {
  if (texts.length === 0) return
  tell({ kind: 'texts', texts })
  texts = []
}

function tell(reply: Reply): void {
  // The channel may close at any time; `disconnect` ends the process then.
  if (process.connected) process.send?.(reply, undefined, undefined, () => {})
}

function failureOf(error: unknown): Failure {
  const { code, message } = asHoneError(error, 'ENGINE_FAILED', 'llama.cpp failed')
  return { code, message }
}
