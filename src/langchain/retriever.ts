import { Document } from '@langchain/core/documents'
import { BaseRetriever } from '@langchain/core/retrievers'
import type { Knowledge } from '../ports/knowledge.ts'

/** Who asks, and how much to return: a retriever is made for one asker, so that nobody sees what they may not. */
export interface RetrieverOptions {
  readonly tenant: string
  /** Scopes the asker is in, besides the tenant's public ones. */
  readonly scopes?: readonly string[]
  readonly limit?: number
}

/**
 * The knowledge as a LangChain retriever. A document's metadata names its source, title, address and score.
 *
 * @example const documents = await asRetriever(knowledge, { tenant: 'web', limit: 4 }).invoke('opening hours')
 */
export function asRetriever(knowledge: Knowledge, options: RetrieverOptions): BaseRetriever {
  return new HoneRetriever(knowledge, options)
}

/** A class because LangChain's retrievers are. */
class HoneRetriever extends BaseRetriever {
  override lc_namespace = ['hone', 'retrievers']
  readonly #knowledge: Knowledge
  readonly #options: RetrieverOptions

  constructor(knowledge: Knowledge, options: RetrieverOptions) {
    super()
    this.#knowledge = knowledge
    this.#options = options
  }

  override async _getRelevantDocuments(query: string): Promise<Document[]> {
    const { tenant, scopes = [], limit = 4 } = this.#options
    const passages = await this.#knowledge.search(query, { tenant, scopes, limit })
    return passages.map(({ id, document, title, text, score, url }) => {
      const metadata = { source: document, title, score, ...(url ? { url } : {}) }
      return new Document({ id, pageContent: text, metadata })
    })
  }
}
