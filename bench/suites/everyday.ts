import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../src/cli/model.ts'
import { share } from '../judging.ts'
import { isRight, openLab } from '../lab.ts'
import { figure, type Result } from '../result.ts'

/** A page of two sentences that a person wrote, and a question that it answers. */
interface Row {
  readonly title: string
  readonly text: string
  readonly question: string
  readonly answer: string
}

/**
 * Questions on everyday pages written by hand, through the whole product path. Every other page is left out, once the even
 * ones and once the odd ones, and all questions are asked: half of them have no answer there.
 */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  const lines = (await readFile(join(packageRoot, 'bench', 'fixtures', 'everyday.jsonl'), 'utf8')).trim().split('\n')
  const rows = lines.map((line) => JSON.parse(line) as Row)
  const replies: {
    readonly known: boolean
    readonly right: boolean
    readonly question: string
    readonly got: string
  }[] = []
  for (const half of [0, 1]) {
    say(`${rows.length} questions, on ${half === 0 ? 'the even' : 'the odd'} pages`)
    const there = (_: Row, i: number) => i % 2 === half
    await using folder = await pages(rows.filter(there))
    await using lab = await openLab([folder.path], { HONE_DUEL_RATE: '0' })
    for (const [i, { question, answer }] of rows.entries()) {
      const known = i % 2 === half
      const got = (await lab.ask(question)).replies[0]?.text ?? ''
      const asked = { question, answer: known ? answer : null, kind: 'everyday' }
      replies.push({ known, right: isRight(asked, got), question, got })
    }
  }
  const of = (name: string, known: boolean) => {
    const asked = replies.filter((reply) => reply.known === known)
    const wrong = asked.filter(({ right }) => !right).map(({ question, got }) => ({ question, got }))
    return figure(
      `everyday.${name}`,
      share(asked, ({ right }) => right),
      'share',
      { of: asked.length, wrong },
    )
  }
  return [of('right', true), of('says-unknown', false)]
}

/** A folder with one Markdown page for each row. */
async function pages(rows: readonly Row[]): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'hone-everyday-'))
  for (const [i, { title, text }] of rows.entries()) {
    const [page, head] = title.split(' - ')
    await writeFile(join(path, `page-${i}.md`), `# ${page}\n\n## ${head}\n\n${text}\n`)
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
