import assert from 'node:assert/strict'
import fc from 'fast-check'
import { chunk } from '../../knowledge/chunk.ts'
import type { KnowledgeDocument } from '../../src/ports/knowledge.ts'

const page = (text: string, format: KnowledgeDocument['format'] = 'markdown'): KnowledgeDocument => ({
  id: 'a.md',
  tenant: 'web',
  scope: 'public',
  title: 'Office',
  text,
  format,
})
const titles = async (text: string) => (await chunk(page(text))).map((one) => one.title)

describe('chunk', () => {
  it('titles a passage with the page and the headings above it', async () => {
    const text =
      '# Office\n\nWelcome.\n\n## Parking\n\nForty cars.\n\n### Bicycles\n\nIn the yard.\n\n## Canteen\n\nSoup.'
    assert.deepEqual(await titles(text), [
      'Office',
      'Office - Parking',
      'Office - Parking - Bicycles',
      'Office - Canteen',
    ])
  })

  it('knows underlined headings, and takes no heading from code or tables', async () => {
    assert.deepEqual(await titles('Parking\n-------\n\nForty cars.\n\n```sh\n# no heading\n```'), ['Office - Parking'])
    assert.deepEqual(await titles('| a | b |\n| --- | --- |\n| 1 | 2 |'), ['Office'])
    assert.deepEqual(await titles('A line.\n\n- item\n---\n\nMore.'), ['Office'])
  })

  it('keeps a short section whole and never joins two', async () => {
    const [first, second] = await chunk(page('## A\n\nOne.\n\nTwo.\n\n- three\n- four\n\n## B\n\nFive.'))
    assert.equal(first?.text, 'One.\n\nTwo.\n\n- three\n- four')
    assert.equal(second?.text, 'Five.')
  })

  it('repeats the head of a table that is too long for one passage', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `| Room ${i} | ${i * 2} seats |`)
    const found = await chunk(page(`| Room | Seats |\n| --- | --- |\n${rows.join('\n')}`))
    assert.ok(found.length > 2)
    for (const one of found) assert.match(one.text, /^\| Room \| Seats \|\n\| --- \| --- \|\n\| Room/)
    for (const row of rows) assert.ok(found.some((one) => one.text.includes(row)))
  })

  it('cuts a long list between its items', async () => {
    const items = Array.from({ length: 30 }, (_, i) => `- Item number ${i} costs ${i} euros`)
    const found = await chunk(page(items.join('\n')))
    assert.ok(found.length > 1)
    assert.deepEqual(
      found.flatMap((one) => one.text.split('\n')),
      items,
    )
  })

  it('embeds the title only where it stands in the document, so that a renamed file costs nothing', async () => {
    const [named] = await chunk(page('# Office\n\nWelcome.'))
    assert.equal(named?.embedText, 'Office\nWelcome.')
    const [unnamed] = await chunk(page('## Parking\n\nForty cars.'))
    assert.equal(unnamed?.title, 'Office - Parking')
    assert.equal(unnamed?.embedText, 'Parking\nForty cars.')
  })

  it('gets through lines that were made to lead patterns astray', async () => {
    const long = (text: string) => text.repeat(100_000)
    const evil = [
      `# ${long(' ')}x`,
      `a|b\n${long('-')}x`,
      long('|'),
      long('x'),
      `# ${long('[')}`,
      long('```\n'),
      long('- a\n'),
    ]
    for (const text of evil) assert.ok((await chunk(page(text))).length > 0)
  })

  it('makes one passage of headings without text, and none of nothing', async () => {
    assert.deepEqual(
      (await chunk(page('# Office\n\n## Parking'))).map((one) => one.text),
      ['Office\nParking'],
    )
    assert.deepEqual(await chunk(page(' \n\n ')), [])
  })

  it('loses no word of any text and stays near the length asked for', async () => {
    const word = fc.stringMatching(/^[A-Za-z0-9#|*.-]{1,12}$/)
    const line = fc.array(word, { minLength: 1, maxLength: 40 }).map((words) => words.join(' '))
    const text = fc.array(fc.oneof(line, fc.constant('')), { maxLength: 30 }).map((lines) => lines.join('\n'))
    await fc.assert(
      fc.asyncProperty(text, async (whole) => {
        const found = await chunk(page(whole, 'text'), 200)
        const squeeze = (one: string) => one.replace(/\s+/g, '')
        assert.equal(squeeze(found.map((one) => one.text).join('')), squeeze(withoutTableHeads(whole, found)))
        for (const one of found) assert.ok(one.text.length <= 420, `${one.text.length}`)
      }),
      { numRuns: 100 },
    )
  })
})

/** Random lines hardly ever make a table; where they do, heads are repeated and the texts can't be compared so simply. */
function withoutTableHeads(whole: string, found: readonly { text: string }[]): string {
  return /^[^\n]*\|[^\n]*\n[ \t:|-]*-[ \t:|-]*(\n|$)/m.test(whole) ? found.map((one) => one.text).join('') : whole
}
