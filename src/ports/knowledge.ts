/** Documents that the operator publishes to every tenant of this Hone, by ingesting them without naming one. */
export const everyTenant = '*'

/** A document as it comes from a loader. `id` is stable across syncs: a path or a URL. */
export interface KnowledgeDocument {
  readonly id: string
  readonly tenant: string
  /** Who may see it: a scope the asker must be in, or `public` for everyone of the tenant. */
  readonly scope: string
  readonly title: string
  readonly text: string
  readonly url?: string
  /** How `text` is marked up; decides how it is cut. */
  readonly format: 'markdown' | 'text'
}

/** A piece of a document that retrieval returns. */
export interface Passage {
  readonly id: string
  readonly document: string
  /** `Page title - Section heading`, or the page title alone. */
  readonly title: string
  readonly text: string
  /** Fused relevance, higher is better; comparable within one search only. */
  readonly score: number
  readonly url?: string
}

/** A sentence of a passage that is near to what was asked, without bold marks. */
export interface Highlight {
  readonly passage: Passage
  readonly text: string
}

export interface HighlightOptions {
  readonly most: number
  readonly signal?: AbortSignal
}

export interface SearchOptions {
  readonly tenant: string
  readonly scopes: readonly string[]
  readonly limit: number
  readonly signal?: AbortSignal
}

export interface SyncReport {
  readonly added: number
  readonly changed: number
  readonly unchanged: number
  readonly removed: number
  readonly passages: number
  /** Passages whose vectors were computed now; unchanged text is never embedded again. */
  readonly embedded: number
  /** What could not be read, and why. */
  readonly failed: readonly { readonly id: string; readonly reason: string }[]
}

/** One step of an ingest, for a progress bar. */
export interface SyncProgress {
  readonly done: number
  readonly total: number
  readonly document: string
}

export interface Knowledge extends AsyncDisposable {
  /** Upserts by document id. Ends with documents searchable, or throws and leaves the index as it was. */
  add(documents: readonly KnowledgeDocument[], onProgress?: (step: SyncProgress) => void): Promise<SyncReport>
  remove(tenant: string, documentIds: readonly string[]): Promise<number>
  /** Best first. Never returns a passage whose tenant (or {@link everyTenant}) or scope is not the asker's. */
  search(query: string, options: SearchOptions): Promise<readonly Passage[]>
  /**
   * One vector of unit length a text, to compare questions with; a text about nothing has a vector of zeros.
   * Absent where words alone are searched.
   */
  embed?(texts: readonly string[], signal?: AbortSignal): Promise<readonly Float32Array[]>
  /**
   * The sentences of passages that are nearest to a query, at most `most`, the nearest first; none while the embedder can't be
   * reached. Absent where words alone are searched.
   */
  highlight?(query: string, passages: readonly Passage[], options: HighlightOptions): Promise<readonly Highlight[]>
  documents(
    tenant: string,
  ): Promise<readonly { readonly id: string; readonly title: string; readonly passages: number }[]>
}
