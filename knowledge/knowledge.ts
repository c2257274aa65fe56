import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { asHoneError, HoneError } from '../src/errors.ts'
import type { Logger } from '../src/log.ts'
import type {
  Highlight,
  HighlightOptions,
  Knowledge,
  KnowledgeDocument,
  Passage,
  SearchOptions,
  SyncProgress,
  SyncReport,
} from '../src/ports/knowledge.ts'
import type { Embedder } from './embedder.ts'
import { highlight } from './highlight.ts'
import { type IndexClient, startIndex } from './index/client.ts'
import { chooseMix, type Observation } from './index/fuse.ts'
import type { Asked } from './index/observe.ts'
import type { EmbedderState, Missing, Plan } from './index/open.ts'
import type { VectorLibrary } from './index/vectors.ts'

export interface KnowledgeOptions {
  /** Folder of the index; made when it isn't there. */
  readonly dir: string
  /** Absent: words alone are searched. */
  readonly embedder?: Embedder
  readonly log: Logger
  readonly vectors?: VectorLibrary
  /** About how long a passage is, in characters. */
  readonly passageChars?: number
}

const batchSize = 64
const probedPassages = 100
const sampleLimit = 5000

interface Context {
  readonly index: IndexClient
  readonly log: Logger
  readonly base: Embedder | undefined
  /** The embedder with what it learnt from this corpus. */
  active: Embedder | undefined
  state: EmbedderState | undefined
  /** Writes go one after another. */
  queue: Promise<unknown>
}

/**
 * Opens the knowledge index in a folder: documents in, passages out.
 *
 * @throws HoneError STORE when the index can't be opened, ENGINE_MISSING when the wanted vector library isn't there.
 * @example await using knowledge = await openKnowledge({ dir: '.hone/knowledge', embedder, log })
 */
export async function openKnowledge(options: KnowledgeOptions): Promise<Knowledge> {
  const { dir, embedder: base, log, vectors = 'auto', passageChars = 400 } = options
  await mkdir(dir, { recursive: true }).catch((error: unknown) => {
    throw asHoneError(error, 'STORE', `The folder ${dir} can't be made`)
  })
  const index = startIndex({ file: join(dir, 'knowledge.db'), vectors, passageChars })
  const context: Context = { index, log, base, active: base, state: undefined, queue: Promise.resolve() }
  try {
    await restore(context)
  } catch (error) {
    await index.close().catch(() => undefined)
    throw error
  }
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = context.queue.then(work)
    context.queue = next.catch(() => undefined)
    return next
  }
  return {
    add: (documents, onProgress) => inTurn(() => add(context, documents, onProgress)),
    remove: (tenant, ids) => inTurn(() => index.call('remove', { tenant, ids })),
    search: (query, search) => find(context, query, search),
    documents: (tenant) => index.call('documents', { tenant }),
    ...(base
      ? {
          embed: (texts, signal) => base.embed(texts, 'query', signal),
          highlight: (query, passages, options) => near(context, context.active ?? base, { query, passages }, options),
        }
      : {}),
    async [Symbol.asyncDispose]() {
      await context.queue
      await index.close()
    },
  }
}

/** Takes up what the embedder learnt before, and embeds what another embedder had embedded. */
async function restore(context: Context): Promise<void> {
  const { index, base, log } = context
  const { library, embedder } = await index.call('state', null)
  log.debug('knowledge.open', { library, embedder: embedder?.id })
  if (!base) return
  if (embedder?.base === base.id) {
    context.state = embedder
    context.active = embedder.learnt === undefined ? base : (base.fitting?.apply(embedder.learnt) ?? base)
  }
  const left = await index.call('missing', { embedder: context.state?.id ?? '' })
  if (left.length === 0) return
  // Until then the lexical leg answers alone, so an embedder that can't be reached doesn't keep the bot from starting.
  log.info('knowledge.reembed', { from: embedder?.id, to: base.id, texts: left.length })
  await add(context, []).catch((error: unknown) => log.warn('knowledge.reembed.failed', { error }))
}

async function add(
  context: Context,
  documents: readonly KnowledgeDocument[],
  onProgress?: (step: SyncProgress) => void,
): Promise<SyncReport> {
  const { index, log } = context
  const plan = await index.call('plan', { documents, embedder: context.state?.id ?? '' })
  try {
    const { state, active, missing } = await prepare(context, plan)
    const vectors = await embedAll(active, missing, progress(documents, plan, missing, onProgress))
    await index.call('commit', { plan: plan.id, vectors, ...(state && { state }) })
    context.state = state
    context.active = active
    const changed = plan.documents.length
    if (changed > 0 || missing.length > 0) await measureAll(context)
    const { added, unchanged } = plan
    const passages = (await counted(index, documents)).passages
    log.info('knowledge.added', { added, changed: changed - added, unchanged, embedded: vectors.size })
    return { added, changed: changed - added, unchanged, removed: 0, passages, embedded: vectors.size, failed: [] }
  } catch (error) {
    await index.call('abandon', { plan: plan.id }).catch(() => undefined)
    throw asHoneError(error, 'STORE', 'The documents could not be added')
  }
}

/** Passages of the tenants that were written to. */
async function counted(index: IndexClient, documents: readonly KnowledgeDocument[]) {
  let passages = 0
  for (const tenant of new Set(documents.map((one) => one.tenant))) {
    for (const document of await index.call('documents', { tenant })) passages += document.passages
  }
  return { passages }
}

/** Decides which embedder serves after this plan, and which texts it still has to embed. */
async function prepare(context: Context, plan: Plan) {
  const { index, base, state } = context
  if (!base) return { state: undefined, active: undefined, missing: [] }
  const grown = state?.base !== base.id || plan.passages >= 2 * state.passages
  if (!grown || plan.passages === 0) {
    const left = state && plan.missing.length === 0 && plan.documents.length === 0
    const missing = left ? await index.call('missing', { plan: plan.id, embedder: state.id }) : plan.missing
    return { state, active: context.active, missing }
  }
  // Word frequencies are learnt again whenever the corpus has doubled; between that vectors stay as they are.
  const sample = base.fitting ? await index.call('sample', { plan: plan.id, limit: sampleLimit }) : []
  const learnt = sample.length > 0 ? await base.fitting?.learn(sample) : undefined
  const active = learnt === undefined ? base : (base.fitting?.apply(learnt) ?? base)
  const next: EmbedderState = {
    base: base.id,
    id: active.id,
    passages: plan.passages,
    ...(learnt !== undefined && { learnt }),
  }
  const missing =
    active.id === state?.id ? plan.missing : await index.call('missing', { plan: plan.id, embedder: active.id })
  return { state: next, active, missing }
}

async function embedAll(embedder: Embedder | undefined, missing: readonly Missing[], done: (count: number) => void) {
  const vectors = new Map<string, Float32Array>()
  done(0)
  for (let at = 0; embedder && at < missing.length; at += batchSize) {
    const batch = missing.slice(at, at + batchSize)
    const made = await embedder.embed(
      batch.map((one) => one.text),
      'document',
    )
    if (made.length !== batch.length) {
      throw new HoneError('ENGINE_FAILED', `${embedder.id} gave ${made.length} vectors for ${batch.length} texts.`)
    }
    for (const [i, one] of batch.entries()) vectors.set(one.hash, made[i] as Float32Array)
    done(at + batch.length)
  }
  return vectors
}

/** Turns texts embedded so far into documents done: a document is done when its last text is. */
function progress(
  documents: readonly KnowledgeDocument[],
  plan: Plan,
  missing: readonly Missing[],
  onProgress: ((step: SyncProgress) => void) | undefined,
): (embedded: number) => void {
  const lastText = new Map(missing.map((one, i) => [one.document, i + 1]))
  const waiting = plan.documents.map((id) => ({ id, at: lastText.get(id) ?? 0 })).sort((a, b) => a.at - b.at)
  const total = documents.length
  let done = total - waiting.length
  return function report(embedded) {
    while (waiting[0] && waiting[0].at <= embedded) {
      const document = (waiting.shift() as { id: string }).id
      onProgress?.({ done: Math.min(++done, total), total, document })
    }
  }
}

/** Measures those tenants whose passages have changed by a quarter, or whose vectors come from another embedder now. */
async function measureAll(context: Context): Promise<void> {
  const { index, active, log } = context
  if (!active) return
  for (const { tenant, passages } of await index.call('tenants', null)) {
    const known = await index.call('mix', { tenant })
    const same = 'embedder' in known && known.embedder === active.id
    if (same && Math.abs(passages - known.passages) <= known.passages / 4) continue
    await measure(context, active, tenant).catch((error: unknown) => {
      log.warn('knowledge.measure.failed', { tenant, error })
    })
  }
}

/** Measures on queries made from the tenant's own passages how the two legs are best mixed. */
async function measure({ index, log }: Context, active: Embedder, tenant: string): Promise<void> {
  const { passages, probes } = await index.call('probes', { tenant, limit: probedPassages })
  const observations: Observation[] = []
  for (let at = 0; at < probes.length; at += batchSize / 2) {
    const batch = probes.slice(at, at + batchSize / 2)
    const queries = await active.embed(
      batch.map((one) => one.query),
      'query',
    )
    const titled = batch.filter((one) => one.untitled !== undefined)
    const texts =
      titled.length > 0
        ? await active.embed(
            titled.map((one) => one.untitled ?? ''),
            'document',
          )
        : []
    const untitled = new Map(titled.map((one, i) => [one, texts[i] as Float32Array]))
    const asked = batch.map((probe, i): Asked => {
      const bare = untitled.get(probe)
      return { probe, vector: queries[i] as Float32Array, ...(bare && { untitled: bare }) }
    })
    observations.push(...(await index.call('observe', { tenant, asked })))
  }
  const mix = { ...chooseMix(observations, active.share), passages, embedder: active.id }
  await index.call('setMix', { tenant, mix })
  log.info('knowledge.measured', { tenant, ...mix })
}

async function find(context: Context, query: string, options: SearchOptions) {
  const { index, active, state, log } = context
  const { tenant, scopes, limit, signal } = options
  const { dense } = await index.call('mix', { tenant })
  stopIfAborted(signal)
  const text = query.slice(0, 8000)
  let vector: Float32Array | undefined
  if (active && state && dense > 0 && text.trim() !== '') {
    // Without the embedder words alone still find most of it; a reply is better than none.
    const made = await active.embed([text.slice(0, 2000)], 'query', signal).catch((error: unknown) => {
      if (!signal?.aborted) log.warn('knowledge.embed.failed', { error })
      return []
    })
    stopIfAborted(signal)
    vector = made[0]
  }
  return index.call('search', { text, tenant, scopes, limit, ...(vector && { vector }) })
}

async function near(
  { log }: Context,
  embedder: Embedder,
  { query, passages }: { readonly query: string; readonly passages: readonly Passage[] },
  options: HighlightOptions,
): Promise<readonly Highlight[]> {
  // As for a search: a reply without them is better than none.
  const found = await highlight(query.slice(0, 2000), passages, embedder, options).catch((error: unknown) => {
    if (!options.signal?.aborted) log.warn('knowledge.highlight.failed', { error })
    return []
  })
  stopIfAborted(options.signal)
  return found
}

function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new HoneError('CANCELLED', 'The search was stopped.', { cause: signal.reason })
}
