import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../src/cli/model.ts'
import { share } from '../judging.ts'
import { isRight, openLab } from '../lab.ts'
import { figure, type Result } from '../result.ts'

/** A page of two sentences that a person wrote, a question that it answers, and one about the same thing that it doesn't. */
interface Row {
  readonly title: string
  readonly text: string
  readonly question: string
  readonly answer: string
  readonly near: string
}
type Kind = 'right' | 'says-unknown' | 'says-unknown-near'

/**
 * Questions on everyday pages written by hand, through the whole product path. Every other page is left out, once the even
 * ones and once the odd ones, and all questions are asked: half of them have no answer there. Of each page that is there,
 * something is asked that it speaks of and doesn't tell.
 */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  const lines = (await readFile(join(packageRoot, 'bench', 'fixtures', 'everyday.jsonl'), 'utf8')).trim().split('\n')
  const rows = lines.map((line) => JSON.parse(line) as Row)
  const replies: { readonly kind: Kind; readonly right: boolean; readonly question: string; readonly got: string }[] =
    []
  for (const half of [0, 1]) {
    const there = (_: Row, i: number) => i % 2 === half
    say(
      `${rows.length} questions and ${rows.filter(there).length} near ones, on ${half === 0 ? 'the even' : 'the odd'} pages`,
    )
    await using folder = await pages(rows.filter(there))
    await using lab = await openLab([folder.path], { HONE_DUEL_RATE: '0' })
    const ask = async (kind: Kind, question: string, answer: string | null) => {
      const got = (await lab.ask(question)).replies[0]?.text ?? ''
      replies.push({ kind, right: isRight({ question, answer, kind: 'everyday' }, got), question, got })
    }
    for (const [i, row] of rows.entries()) {
      if (!there(row, i)) await ask('says-unknown', row.question, null)
      else {
        await ask('right', row.question, row.answer)
        await ask('says-unknown-near', row.near, null)
      }
    }
  }
  return (['right', 'says-unknown', 'says-unknown-near'] as const).map((kind) => {
    const asked = replies.filter((reply) => reply.kind === kind)
    const wrong = asked.filter(({ right }) => !right).map(({ question, got }) => ({ question, got }))
    const right = share(asked, (reply) => reply.right)
    return figure(`everyday.${kind}`, right, 'share', { of: asked.length, wrong })
  })
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
