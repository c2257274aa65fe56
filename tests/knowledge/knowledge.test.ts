import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadVectors } from '../../knowledge/index/vectors.ts'
import { type KnowledgeOptions, openKnowledge, syncFolder, wordEmbedder } from '../../knowledge/index.ts'
import { starterDir } from '../../src/cli/model.ts'
import { readTokenEmbeddings } from '../../src/engines/llama/index.ts'
import { silent } from '../../src/log.ts'
import type { Knowledge, KnowledgeDocument } from '../../src/ports/knowledge.ts'
import { knowledgeContract } from '../contracts/knowledge.ts'
import { hashEmbedder } from '../fakes/hash-embedder.ts'

const folders: string[] = []
async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'hone-knowledge-'))
  folders.push(made)
  return made
}
after(async () => {
  for (const one of folders) await rm(one, { recursive: true, force: true })
})

const open = async (options: Partial<KnowledgeOptions> = {}) =>
  openKnowledge({ dir: await folder(), log: silent, vectors: 'usearch', ...options })

const page = (id: string, text: string, title = 'Page'): KnowledgeDocument => ({
  id,
  tenant: 'acme',
  scope: 'public',
  title,
  text,
  format: 'markdown',
})
const asker = { tenant: 'acme', scopes: [], limit: 5 }

knowledgeContract('the index with both legs', () => open({ embedder: hashEmbedder() }))
if (hasFaiss()) knowledgeContract('the index on FAISS', () => open({ embedder: hashEmbedder(), vectors: 'faiss' }))
knowledgeContract('the index without an embedder', () => open())

describe('the knowledge index', () => {
  it('embeds nothing when a file is renamed', async () => {
    await using knowledge = await open({ embedder: hashEmbedder() })
    const text = '# Leave\n\n## Vacation\n\nEveryone gets 25 days.\n\n## Sick leave\n\nCall before nine.'
    const first = await knowledge.add([page('old.md', text, 'Leave')])
    assert.equal(first.embedded, 2)
    const renamed = await knowledge.add([page('new.md', text, 'Leave')])
    await knowledge.remove('acme', ['old.md'])
    assert.deepEqual([renamed.added, renamed.embedded], [1, 0])
    assert.equal((await knowledge.search('vacation', asker))[0]?.document, 'new.md')
  })

  it('embeds three passages at most again when a line is put at the top of a long file', async () => {
    await using knowledge = await open({ embedder: hashEmbedder() })
    const text = longText(1_000_000)
    const first = await knowledge.add([page('long.md', text)])
    assert.ok(first.passages > 2000)
    const again = await knowledge.add([page('long.md', `One more line.\n${text}`)])
    assert.ok(again.embedded <= 3, `${again.embedded} were embedded`)
    assert.ok(again.embedded >= 1)
  })

  it('leaves the index as it was when the embedder fails midway', async () => {
    const embedder = hashEmbedder()
    await using knowledge = await open({ embedder })
    await knowledge.add([page('a.md', 'The old rule says ten.')])
    embedder.failure = new Error('no memory')
    await assert.rejects(knowledge.add([page('a.md', 'The new rule says twelve.'), page('b.md', 'More rules.')]), {
      name: 'HoneError',
    })
    embedder.failure = undefined
    assert.match((await knowledge.search('rule', asker))[0]?.text ?? '', /ten/)
    assert.equal((await knowledge.documents('acme')).length, 1)
  })

  it('highlights nothing while the embedder is gone, and stops when it is told to', async () => {
    const embedder = hashEmbedder()
    await using knowledge = await open({ embedder })
    await knowledge.add([page('a.md', 'The old rule says ten.')])
    const passages = await knowledge.search('rule', asker)
    assert.equal((await knowledge.highlight?.('rule', passages, { most: 1 }))?.length, 1)
    const stopped = knowledge.highlight?.('rule', passages, { most: 1, signal: AbortSignal.abort() })
    await assert.rejects(stopped ?? Promise.resolve(), { code: 'CANCELLED' })
    embedder.failure = new Error('gone')
    assert.deepEqual(await knowledge.highlight?.('rule', passages, { most: 1 }), [])
  })

  it('is whole after the process was killed in the middle of adding', async () => {
    const dir = await folder()
    const child = fileURLToPath(new URL('../fixtures/knowledge/killed-while-adding.ts', import.meta.url))
    const { signal } = spawnSync(process.execPath, [child, dir], { stdio: 'inherit' })
    assert.equal(signal, 'SIGKILL')
    await using knowledge = await open({ dir, embedder: hashEmbedder() })
    assert.deepEqual(
      (await knowledge.documents('acme')).map((one) => one.id),
      ['a.md'],
    )
    assert.match((await knowledge.search('rule', asker))[0]?.text ?? '', /ten/)
    assert.equal((await knowledge.add([page('a.md', 'The new rule says twelve.')])).changed, 1)
  })

  it('answers real questions on the sample handbook, with a second leg never the worse for it', async () => {
    await using words = await open()
    await using both = await open({ embedder: hashEmbedder() })
    const alone = await recall(words)
    const fused = await recall(both)
    assert.ok(alone.first >= 0.8 && alone.third >= 0.9, JSON.stringify(alone))
    assert.ok(fused.third >= alone.third - 0.02, JSON.stringify({ alone, fused }))
  })

  it('finds more with the starter’s table of words than by words alone', async () => {
    using table = await readTokenEmbeddings(join(starterDir, 'embedder.gguf'))
    await using both = await open({ embedder: wordEmbedder({ id: 'starter', tokens: table.tokens, rows: table }) })
    const fused = await recall(both)
    assert.ok(fused.first >= 0.9 && fused.third >= 0.96, JSON.stringify(fused))
  })

  it('still finds by words when the embedder fails at a question', async () => {
    const embedder = hashEmbedder()
    await using knowledge = await open({ embedder })
    await knowledge.add([page('a.md', 'The garage opens at seven.'), page('b.md', 'The canteen serves soup.')])
    embedder.failure = new Error('gone')
    assert.equal((await knowledge.search('garage', asker))[0]?.document, 'a.md')
  })

  it('keeps everything across a restart and embeds nothing for it', async () => {
    const dir = await folder()
    const embedder = hashEmbedder()
    {
      await using first = await open({ dir, embedder })
      await first.add([page('a.md', 'The garage opens at seven.')])
    }
    const { document } = embedder.counts
    await using second = await open({ dir, embedder })
    assert.equal((await second.search('garage', asker))[0]?.document, 'a.md')
    assert.equal(embedder.counts.document, document)
  })

  it('embeds everything again for another embedder, and what was added without one', async () => {
    const dir = await folder()
    {
      await using first = await open({ dir, embedder: hashEmbedder('one') })
      await first.add([page('a.md', 'The garage opens at seven.')])
    }
    {
      await using words = await open({ dir })
      await words.add([page('b.md', 'The canteen serves soup.')])
    }
    const other = hashEmbedder('two', 32)
    await using second = await open({ dir, embedder: other })
    assert.equal(other.counts.document, 2)
    assert.equal((await second.search('canteen', asker))[0]?.document, 'b.md')
  })

  it('sees what another process added to the same folder', async () => {
    const dir = await folder()
    await using one = await open({ dir, embedder: hashEmbedder() })
    await one.add([page('a.md', 'The garage opens at seven.')])
    await using two = await open({ dir, embedder: hashEmbedder() })
    await two.add([page('b.md', 'The canteen serves soup on Fridays.')])
    assert.equal((await one.search('canteen soup', asker))[0]?.document, 'b.md')
  })

  it('finds a word that was typed wrongly or stands in another form', async () => {
    await using knowledge = await open()
    await knowledge.add([page('a.md', 'Complaints are handled by Theo.'), page('b.md', 'The vacation is 25 days.')])
    assert.equal((await knowledge.search('To whom can I complain?', asker))[0]?.document, 'a.md')
    assert.equal((await knowledge.search('my vacaton', asker))[0]?.document, 'b.md')
  })

  it('returns what stands in two documents once', async () => {
    await using knowledge = await open({ embedder: hashEmbedder() })
    await knowledge.add([page('a.md', 'The garage opens at seven.'), page('b.md', 'The garage opens at seven.')])
    assert.equal((await knowledge.search('garage', asker)).length, 1)
  })

  it('says so when FAISS is wanted and not there', async function () {
    if (hasFaiss()) this.skip()
    await assert.rejects(open({ vectors: 'faiss' }), { code: 'ENGINE_MISSING' })
  })
})

/** Shares of real questions whose right section comes first, and among the first three. */
async function recall(knowledge: Knowledge): Promise<{ first: number; third: number }> {
  const fixtures = fileURLToPath(new URL('../fixtures/knowledge', import.meta.url))
  await syncFolder(knowledge, join(fixtures, 'handbook'), { tenant: 'acme', scope: 'public', base: fixtures })
  const questions = JSON.parse(await readFile(join(fixtures, 'questions.json'), 'utf8')) as [string, string][]
  const ranks: number[] = []
  for (const [question, title] of questions) {
    const found = await knowledge.search(question, asker)
    ranks.push(found.findIndex((one) => one.title === title))
  }
  const share = (top: number) => ranks.filter((rank) => rank >= 0 && rank < top).length / ranks.length
  return { first: share(1), third: share(3) }
}

function hasFaiss(): boolean {
  try {
    return loadVectors('faiss').library === 'faiss'
  } catch {
    return false
  }
}

/** Sentences of invented words in paragraphs, always the same. */
function longText(length: number): string {
  let state = 7
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
  const word = () => Array.from({ length: 2 + random(7) }, () => 'aeioubdgklmnprst'[random(16)]).join('')
  let text = ''
  while (text.length < length) {
    const sentence = Array.from({ length: 6 + random(12) }, word).join(' ')
    text += `${sentence[0]?.toUpperCase()}${sentence.slice(1)}.${random(5) === 0 ? '\n\n' : ' '}`
  }
  return text
}
