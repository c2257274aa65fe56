import { Document, type DocumentInterface } from '@langchain/core/documents'
import { BaseRetriever, type BaseRetrieverInput } from '@langchain/core/retrievers'
import type { Knowledge, KnowledgeDocument, Passage } from '../src/ports/knowledge.ts'

/**
 * A document of any LangChain loader as one of ours. `metadata.source` (a path or an address, as LangChain's loaders
 * give it) becomes the id.
 *
 * @example const documents = (await loader.load()).map((one, i) => fromLangchain(one, { tenant, scope, id: `${i}` }))
 */
export function fromLangchain(
  document: DocumentInterface,
  where: { readonly tenant: string; readonly scope: string; readonly id?: string },
): KnowledgeDocument {
  const { source, title, url, format } = document.metadata
  const id =
    where.id ?? document.id ?? (typeof source === 'string' ? source : undefined) ?? document.pageContent.slice(0, 80)
  return {
    id,
    tenant: where.tenant,
    scope: where.scope,
    title: typeof title === 'string' && title ? title : id,
    text: document.pageContent,
    format: format === 'text' ? 'text' : 'markdown',
    ...(typeof url === 'string' && { url }),
  }
}

/** One of our documents or passages as LangChain's; everything but the text is metadata. */
export function toLangchain(from: KnowledgeDocument | Passage): Document {
  const { text, id, ...rest } = from
  return new Document({ pageContent: text, metadata: { source: 'document' in from ? from.document : id, ...rest }, id })
}

export interface RetrieverOptions extends BaseRetrieverInput {
  readonly knowledge: Knowledge
  readonly tenant: string
  readonly scopes?: readonly string[]
  readonly limit?: number
}

/** The index as a LangChain retriever, for one tenant and what that asker may see. */
export function knowledgeRetriever(options: RetrieverOptions): BaseRetriever {
  return new KnowledgeRetriever(options)
}

class KnowledgeRetriever extends BaseRetriever {
  readonly lc_namespace = ['hone', 'knowledge']
  readonly #options: RetrieverOptions

  constructor(options: RetrieverOptions) {
    super(options)
    this.#options = options
  }

  override async _getRelevantDocuments(query: string): Promise<Document[]> {
    const { knowledge, tenant, scopes = [], limit = 4 } = this.#options
    return (await knowledge.search(query, { tenant, scopes, limit })).map(toLangchain)
  }
}
