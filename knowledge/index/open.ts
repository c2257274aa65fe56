import { HoneError } from '../../src/errors.ts'
import type { KnowledgeDocument, Passage } from '../../src/ports/knowledge.ts'
import { type Database, openDatabase, readMeta, writeMeta } from './database.ts'
import { type Measured, type Mix, type Observation, unmeasured } from './fuse.ts'
import { type Asked, observe } from './observe.ts'
import { openPartitions, type Partitions } from './partitions.ts'
import { type Probe, probes } from './probes.ts'
import { type IndexQuery, searchIndex } from './search.ts'
import { loadVectors, type VectorLibrary } from './vectors.ts'
import { dropOrphans, removeDocuments, type Staged, stage, write, writeVectors } from './write.ts'

/** The embedder whose vectors serve, and what it learnt from the corpus. */
export interface EmbedderState {
  /** Id before learning. */
  readonly base: string
  /** Id after learning: what vectors are kept under. */
  readonly id: string
  readonly learnt?: string
  /** Passages there were when it learnt. */
  readonly passages: number
}

/** A text whose vector is wanted. */
export interface Missing {
  readonly hash: string
  readonly text: string
  /** Id of the first document it stands in. */
  readonly document: string
}

/** What an `add` would write. */
export interface Plan {
  readonly id: number
  readonly documents: readonly string[]
  readonly added: number
  readonly unchanged: number
  readonly passages: number
  readonly missing: readonly Missing[]
}

export interface Commit {
  readonly plan: number
  readonly state?: EmbedderState
  readonly vectors: ReadonlyMap<string, Float32Array>
}

/** How good the mix was when it was measured, and on how many passages. */
export interface MeasuredMix extends Measured {
  readonly passages: number
  readonly embedder: string
}

/** The calls that the index answers. It works synchronously, so it lives in a worker thread. */
export interface IndexCalls {
  state(input: null): { readonly library: string; readonly embedder?: EmbedderState }
  plan(input: { documents: readonly KnowledgeDocument[]; embedder: string }): Promise<Plan>
  /** Texts of the corpus as it will be after the plan: what an embedder learns from. */
  sample(input: { plan: number; limit: number }): readonly string[]
  /** Everything that has no vector of this embedder yet, the plan's texts included. */
  missing(input: { plan?: number; embedder: string }): readonly Missing[]
  commit(input: Commit): { readonly passages: number }
  abandon(input: { plan: number }): null
  remove(input: { tenant: string; ids: readonly string[] }): number
  /** How the tenant's legs are mixed; dense share 0 means that no query vector is needed. */
  mix(input: { tenant: string }): Mix | MeasuredMix
  search(input: IndexQuery): readonly Passage[]
  documents(input: { tenant: string }): readonly { id: string; title: string; passages: number }[]
  tenants(input: null): readonly { readonly tenant: string; readonly passages: number }[]
  probes(input: { tenant: string; limit: number }): { readonly passages: number; readonly probes: readonly Probe[] }
  observe(input: { tenant: string; asked: readonly Asked[] }): readonly Observation[]
  setMix(input: { tenant: string; mix: MeasuredMix }): null
  close(input: null): null
}

interface Context {
  readonly database: Database
  readonly partitions: Partitions
  readonly library: string
  readonly passageChars: number
  readonly plans: Map<number, readonly Staged[]>
  lastPlan: number
  dataVersion: number
}

export interface IndexOptions {
  readonly file: string
  readonly vectors: VectorLibrary
  readonly passageChars: number
}

/** Opens the index: everything about it but the embedder, which may need the network or a model. */
export function openIndex(options: IndexOptions): IndexCalls {
  const maker = loadVectors(options.vectors)
  const database = openDatabase(options.file)
  const serving = () => readMeta<EmbedderState>(database, 'embedder')?.id ?? ''
  const partitions = openPartitions(database, maker, serving)
  partitions.reload()
  const { passageChars } = options
  const context: Context = {
    database,
    partitions,
    library: maker.library,
    passageChars,
    plans: new Map(),
    lastPlan: 0,
    dataVersion: dataVersion(database),
  }
  return { ...writing(context), ...reading(context), ...measuring(context) }
}

function writing(context: Context): Pick<IndexCalls, 'plan' | 'sample' | 'missing' | 'commit' | 'abandon' | 'remove'> {
  const { database, partitions, plans } = context
  return {
    plan: (input) => makePlan(context, input.documents, input.embedder),
    sample({ plan, limit }) {
      const staged = staging(context, plan).flatMap((one) => one.passages.map((passage) => passage.embedText))
      const rows = database.all<{ text: string }>('SELECT embed_text AS text FROM passages ORDER BY key LIMIT ?', limit)
      return [...new Set([...staged, ...rows.map((row) => row.text)])].slice(0, limit)
    },
    missing({ plan, embedder }) {
      const staged = plan === undefined ? [] : missingOf(database, staging(context, plan), embedder)
      const rows = database.all<Missing>(
        `SELECT p.hash, p.embed_text AS text, d.name AS document FROM passages p JOIN documents d ON d.id = p.document
         WHERE p.hash NOT IN (SELECT hash FROM vectors WHERE embedder = ?) GROUP BY p.hash`,
        embedder,
      )
      const known = new Set(staged.map((one) => one.hash))
      return [...staged, ...rows.filter((row) => !known.has(row.hash)).map((row) => ({ ...row }))]
    },
    commit: (input) => commit(context, input),
    abandon({ plan }) {
      plans.delete(plan)
      return null
    },
    remove({ tenant, ids }) {
      const { documents, changes } = database.transaction(() => removeDocuments(database, tenant, ids))
      partitions.update(changes.removed, [])
      return documents
    },
  }
}

function reading(context: Context): Pick<IndexCalls, 'state' | 'search' | 'documents' | 'mix' | 'close'> {
  const { database, partitions } = context
  return {
    state() {
      const embedder = readMeta<EmbedderState>(database, 'embedder')
      return { library: context.library, ...(embedder && { embedder }) }
    },
    mix: ({ tenant }) => mixOf(database, tenant),
    search(query) {
      follow(context)
      return searchIndex(database, partitions, query, mixOf(database, query.tenant))
    },
    documents({ tenant }) {
      const rows = database.all<{ id: string; title: string; passages: number }>(
        `SELECT d.name AS id, d.title, (SELECT count(*) FROM passages p WHERE p.document = d.id) AS passages
         FROM documents d WHERE d.tenant = ? ORDER BY d.name`,
        tenant,
      )
      return rows.map((row) => ({ ...row }))
    },
    close() {
      database.close()
      return null
    },
  }
}

function measuring({ database, partitions }: Context): Pick<IndexCalls, 'tenants' | 'probes' | 'observe' | 'setMix'> {
  const own = 'FROM passages p JOIN documents d ON d.id = p.document WHERE d.tenant = ?'
  return {
    tenants() {
      const rows = database.all<{ tenant: string; passages: number }>(
        'SELECT d.tenant, count(*) AS passages FROM passages p JOIN documents d ON d.id = p.document GROUP BY d.tenant',
      )
      return rows.map((row) => ({ ...row }))
    },
    probes({ tenant, limit }) {
      const passages = database.get<{ n: number }>(`SELECT count(*) AS n ${own}`, tenant)?.n ?? 0
      const rows = database.all<{ title: string; text: string; hash: string }>(
        `SELECT p.title, p.text, p.hash ${own} GROUP BY p.hash ORDER BY p.hash LIMIT ?`,
        tenant,
        limit,
      )
      return { passages, probes: rows.flatMap(probes) }
    },
    observe: ({ tenant, asked }) => asked.map((one) => observe(database, partitions, tenant, one)),
    setMix({ tenant, mix }) {
      writeMeta(database, `mix:${tenant}`, mix)
      return null
    },
  }
}

const mixOf = (database: Database, tenant: string): Mix | MeasuredMix =>
  readMeta<MeasuredMix>(database, `mix:${tenant}`) ?? unmeasured

async function makePlan(context: Context, documents: readonly KnowledgeDocument[], embedder: string): Promise<Plan> {
  const { database, passageChars, plans } = context
  const staged = await stage(database, documents, passageChars)
  const id = ++context.lastPlan
  plans.set(id, staged)
  const distinct = new Set(documents.map((document) => JSON.stringify([document.tenant, document.id]))).size
  const replaced = new Set(staged.map((one) => JSON.stringify([one.document.tenant, one.document.id])))
  const counts = database.all<{ tenant: string; name: string; n: number }>(
    'SELECT d.tenant, d.name, count(*) AS n FROM passages p JOIN documents d ON d.id = p.document GROUP BY d.id',
  )
  const kept = counts.filter((row) => !replaced.has(JSON.stringify([row.tenant, row.name])))
  return {
    id,
    documents: staged.map((one) => one.document.id),
    added: staged.filter((one) => one.isNew).length,
    unchanged: distinct - staged.length,
    passages: sum(kept.map((row) => row.n)) + sum(staged.map((one) => one.passages.length)),
    missing: missingOf(database, staged, embedder),
  }
}

function commit(context: Context, { plan, state, vectors }: Commit): { passages: number } {
  const { database, partitions, plans } = context
  const staged = staging(context, plan)
  const before = readMeta<EmbedderState>(database, 'embedder')
  const changes = database.transaction(() => {
    const written = write(database, staged)
    if (state) {
      writeVectors(database, state.id, vectors)
      writeMeta(database, 'embedder', state)
    }
    dropOrphans(database, state?.id)
    return written
  })
  plans.delete(plan)
  const others = vectors.size > 0 && staged.length === 0
  if ((state && state.id !== before?.id) || others) partitions.reload()
  else partitions.update(changes.removed, changes.added)
  return { passages: sum(staged.map((one) => one.passages.length)) }
}

function missingOf(database: Database, staged: readonly Staged[], embedder: string): readonly Missing[] {
  const found = new Map<string, Missing>()
  for (const { document, passages } of staged) {
    for (const { hash, embedText: text } of passages) {
      const known =
        found.has(hash) || database.get('SELECT 1 FROM vectors WHERE embedder = ? AND hash = ?', embedder, hash)
      if (!known) found.set(hash, { hash, text, document: document.id })
    }
  }
  return [...found.values()]
}

function staging(context: Context, plan: number): readonly Staged[] {
  const staged = context.plans.get(plan)
  if (!staged)
    throw new HoneError('STORE', 'The index was opened anew while documents were being added. Add them again.')
  return staged
}

/** Another process (`hone ingest` beside `hone serve`) may have changed the file: then memory follows it. */
function follow(context: Context): void {
  const now = dataVersion(context.database)
  if (now === context.dataVersion) return
  context.dataVersion = now
  context.partitions.reload()
}

const dataVersion = (database: Database) =>
  database.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)
