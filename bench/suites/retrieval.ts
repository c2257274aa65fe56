import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openKnowledge, syncFolder } from '../../knowledge/index.ts'
import { packageRoot } from '../../src/cli/model.ts'
import { silent } from '../../src/log.ts'
import type { Knowledge } from '../../src/ports/knowledge.ts'
import { openLab } from '../lab.ts'
import { atLeast, figure, type Result } from '../result.ts'

const handbook = join(packageRoot, 'examples', 'handbook')
const where = { tenant: 'web', scope: 'public' }

/** A question in the words of somebody who hasn't read the handbook, and the heading of the section that answers it. */
interface Asked {
  readonly question: string
  readonly heading: string
}
interface Found {
  readonly first: number
  readonly three: number
  readonly missed: readonly string[]
}

/** Questions written by hand on the sample handbook: by words alone, and as the product finds passages. */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  const text = await readFile(join(packageRoot, 'bench', 'fixtures', 'retrieval.jsonl'), 'utf8')
  const asked = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Asked)
  say(`${asked.length} questions, by words alone and with the embedder`)
  const words = await byWords(asked)
  await using lab = await openLab([handbook])
  const mixed = await find(asked, await lab.parts.knowledge())
  return [
    figure('retrieval.words-first', words.first, 'share'),
    figure('retrieval.words-among-three', words.three, 'share'),
    atLeast('retrieval.first', mixed.first, words.first, 'share'),
    atLeast('retrieval.among-three', mixed.three, words.three, 'share', mixed.missed),
  ]
}

async function byWords(asked: readonly Asked[]): Promise<Found> {
  const dir = await mkdtemp(join(tmpdir(), 'hone-retrieval-'))
  try {
    await using knowledge = await openKnowledge({ dir, log: silent })
    await syncFolder(knowledge, handbook, where)
    return await find(asked, knowledge)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function find(asked: readonly Asked[], knowledge: Knowledge): Promise<Found> {
  const places = await Promise.all(
    asked.map(async ({ question, heading }) => {
      const found = await knowledge.search(question, { tenant: where.tenant, scopes: [], limit: 3 })
      return found.findIndex(({ title }) => title.split(' - ').at(-1) === heading)
    }),
  )
  const share = (holds: (place: number) => boolean) => places.filter(holds).length / places.length
  return {
    first: share((place) => place === 0),
    three: share((place) => place >= 0),
    missed: asked.filter((_, n) => (places[n] ?? -1) < 0).map(({ question }) => question),
  }
}
