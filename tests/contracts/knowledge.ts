import assert from 'node:assert/strict'
import type { Knowledge, KnowledgeDocument } from '../../src/ports/knowledge.ts'

/** What every knowledge index must do. `open` gives an empty one; it is disposed after each test. */
export function knowledgeContract(name: string, open: () => Promise<Knowledge>): void {
  describe(`${name} keeps the knowledge contract`, () => {
    let knowledge: Knowledge
    beforeEach(async () => {
      knowledge = await open()
    })
    afterEach(async () => {
      await knowledge[Symbol.asyncDispose]()
    })

    it('finds the passage that answers, with its title, document and a score', async () => {
      await knowledge.add(handbook('acme'))
      const [best] = await knowledge.search('How many vacation days do I get?', asker('acme'))
      assert.equal(best?.document, 'leave.md')
      assert.equal(best?.title, 'Leave - Vacation')
      assert.match(best?.text ?? '', /25 days/)
      assert.ok((best?.score ?? 0) > 0)
    })

    it('returns the best first and no more than asked for', async () => {
      await knowledge.add(handbook('acme'))
      const found = await knowledge.search('vacation parking days', { ...asker('acme'), limit: 2 })
      assert.equal(found.length, 2)
      assert.ok((found[0]?.score ?? 0) >= (found[1]?.score ?? 0))
    })

    it('knows which sentence of its passages is nearest to a question, if it knows more than words', async () => {
      await knowledge.add(handbook('acme'))
      const passages = await knowledge.search('vacation days', asker('acme'))
      const found = await knowledge.highlight?.('How many vacation days do I get?', passages, { most: 1 })
      if (found) assert.match(found[0]?.text ?? '', /25 days/)
      assert.deepEqual((await knowledge.highlight?.('vacation', [], { most: 1 })) ?? [], [])
    })

    it('finds nothing in an empty index', async () => {
      assert.deepEqual(await knowledge.search('vacation', asker('acme')), [])
      assert.deepEqual(await knowledge.documents('acme'), [])
    })

    it('never shows a passage of another tenant or scope, though both say the same', async () => {
      await knowledge.add([...handbook('acme'), ...handbook('other')])
      await knowledge.add([secret('acme', 'board'), secret('acme', 'staff'), secret('other', 'board')])
      const foreign = await knowledge.search('merger with Globex', asker('acme'))
      assert.ok(!foreign.some((one) => one.text.includes('Globex')))
      const own = await knowledge.search('merger with Globex', asker('acme', ['board']))
      assert.equal(own[0]?.document, 'board.md')
      const ids = async (tenant: string) => {
        const found = await knowledge.search('vacation parking merger', asker(tenant, ['board', 'staff']))
        return found.map((one) => one.id)
      }
      const others = await ids('other')
      assert.ok(others.length > 0 && !(await ids('acme')).some((id) => others.includes(id)))
    })

    it('hides a document that moves to a scope the asker is not in', async () => {
      const note = { ...secret('acme', 'public'), id: 'plans.md' }
      await knowledge.add([note])
      assert.equal((await knowledge.search('merger', asker('acme'))).length, 1)
      await knowledge.add([{ ...note, scope: 'board' }])
      assert.deepEqual(await knowledge.search('merger', asker('acme')), [])
      assert.equal((await knowledge.search('merger', asker('acme', ['board']))).length, 1)
    })

    it('finds what an asker may see though a hundred passages they may not see rank higher', async () => {
      const hidden = Array.from({ length: 100 }, (_, i) => ({
        ...secret('acme', 'board'),
        id: `${i}.md`,
        title: `Merger ${i}`,
      }))
      const text = 'In another year there was a merger, among many other things that happened.'
      await knowledge.add([...hidden, { ...secret('acme', 'public'), id: 'seen.md', title: 'History', text }])
      const found = await knowledge.search('merger with Globex', asker('acme'))
      assert.deepEqual(
        found.map((one) => one.document),
        ['seen.md'],
      )
    })

    it('reports what it added, changed and left alone', async () => {
      const first = await knowledge.add(handbook('acme'))
      assert.deepEqual([first.added, first.changed, first.unchanged], [2, 0, 0])
      const again = await knowledge.add(handbook('acme'))
      assert.deepEqual([again.added, again.changed, again.unchanged, again.embedded], [0, 0, 2, 0])
      const [leave] = handbook('acme')
      assert.ok(leave)
      const changed = await knowledge.add([{ ...leave, text: leave.text.replace('25', '30') }])
      assert.deepEqual([changed.added, changed.changed, changed.unchanged], [0, 1, 0])
      const [best] = await knowledge.search('vacation days', asker('acme'))
      assert.match(best?.text ?? '', /30 days/)
    })

    it('forgets a removed document, for its tenant only', async () => {
      await knowledge.add([...handbook('acme'), ...handbook('other')])
      assert.equal(await knowledge.remove('acme', ['leave.md', 'no-such.md']), 1)
      assert.ok(!(await knowledge.search('vacation', asker('acme'))).some((one) => one.document === 'leave.md'))
      assert.equal((await knowledge.search('vacation', asker('other')))[0]?.document, 'leave.md')
      assert.deepEqual(
        (await knowledge.documents('acme')).map((one) => one.id),
        ['parking.md'],
      )
    })

    it('takes any text as a question, query syntax included', async () => {
      await knowledge.add(handbook('acme'))
      for (const text of ['" OR NEAR(', 'title:*', "'; DROP TABLE passages; --", '', '   ', '🙂', 'AND', '^a -b']) {
        await knowledge.search(text, asker('acme'))
      }
      assert.equal((await knowledge.search('vacation" OR NEAR(', asker('acme')))[0]?.document, 'leave.md')
    })

    it('tells how far an ingest is', async () => {
      const steps: string[] = []
      await knowledge.add(handbook('acme'), ({ done, total, document }) => steps.push(`${done}/${total} ${document}`))
      assert.deepEqual(steps.toSorted(), ['1/2 leave.md', '2/2 parking.md'])
    })
  })
}

const asker = (tenant: string, scopes: readonly string[] = []) => ({ tenant, scopes, limit: 5 })

function handbook(tenant: string): readonly KnowledgeDocument[] {
  const page = (id: string, title: string, text: string): KnowledgeDocument => ({
    id,
    tenant,
    scope: 'public',
    title,
    text: `# ${title}\n\n${text}`,
    format: 'markdown',
  })
  return [
    page('leave.md', 'Leave', '## Vacation\n\nEveryone gets 25 days a year.\n\n## Sick leave\n\nCall before nine.'),
    page('parking.md', 'Parking', 'The garage has room for forty cars.\n\n## Bicycles\n\nRacks stand in the yard.'),
  ]
}

function secret(tenant: string, scope: string): KnowledgeDocument {
  const text = 'The merger with Globex is planned for May.'
  return { id: `${scope}.md`, tenant, scope, title: 'Plans', text, format: 'text' }
}
