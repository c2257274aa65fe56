import assert from 'node:assert/strict'
import { Document } from '@langchain/core/documents'
import { fromLangchain, knowledgeRetriever, toLangchain } from '../../knowledge/index.ts'
import type { Knowledge, SearchOptions } from '../../src/ports/knowledge.ts'

const where = { tenant: 'web', scope: 'staff' }

describe('LangChain', () => {
  it('documents become ours, with their source as id', () => {
    const document = new Document({ pageContent: 'Soup.', metadata: { source: 'menu.md', title: 'Menu' } })
    const ours = fromLangchain(document, where)
    assert.deepEqual(ours, { id: 'menu.md', ...where, title: 'Menu', text: 'Soup.', format: 'markdown' })
    assert.equal(toLangchain(ours).metadata.source, 'menu.md')
    assert.equal(toLangchain(ours).pageContent, 'Soup.')
  })

  it('chains can retrieve from the index, with the rights of one asker', async () => {
    const asked: unknown[] = []
    const passage = { id: 'p_1', document: 'menu.md', title: 'Menu', text: 'Soup.', score: 1 }
    const knowledge: Knowledge = {
      add: () => Promise.reject(new Error('not asked for')),
      remove: async () => 0,
      documents: async () => [],
      async search(query: string, options: SearchOptions) {
        asked.push([query, options])
        return [passage]
      },
      async [Symbol.asyncDispose]() {},
    }
    const found = await knowledgeRetriever({ knowledge, tenant: 'web', scopes: ['staff'], limit: 2 }).invoke('lunch?')
    assert.deepEqual(asked, [['lunch?', { tenant: 'web', scopes: ['staff'], limit: 2 }]])
    assert.equal(found[0]?.pageContent, 'Soup.')
    assert.equal(found[0]?.metadata.source, 'menu.md')
    assert.equal(found[0]?.id, 'p_1')
  })
})
