import { everyTenant, type Knowledge } from '../src/ports/knowledge.ts'

/**
 * Adds the documents that the operator published to every tenant to each tenant's own.
 *
 * @example const knowledge = withEveryone(await openKnowledge({ dir, log }))
 */
export function withEveryone(knowledge: Knowledge): Knowledge {
  return {
    add: (documents, onProgress) => knowledge.add(documents, onProgress),
    remove: (tenant, ids) => knowledge.remove(tenant, ids),
    documents: (tenant) => knowledge.documents(tenant),
    ...(knowledge.embed ? { embed: knowledge.embed.bind(knowledge) } : {}),
    ...(knowledge.highlight ? { highlight: knowledge.highlight.bind(knowledge) } : {}),
    async search(query, options) {
      if (options.tenant === everyTenant) return knowledge.search(query, options)
      const found = await Promise.all(
        [options.tenant, everyTenant].map((tenant) => knowledge.search(query, { ...options, tenant })),
      )
      return found
        .flat()
        .sort((a, b) => b.score - a.score)
        .slice(0, options.limit)
    },
    [Symbol.asyncDispose]: () => knowledge[Symbol.asyncDispose](),
  }
}
