import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Exam, makeExam } from './exam.ts'
import { cache, isThere, type ModelName, python, settingsOf } from './family.ts'
import { showOnly } from './judging.ts'
import { keptJson } from './kept.ts'
import { type Handbook, handbooks, openLab, type Question, withoutExamples } from './lab.ts'
import { honest, judge, type Rule, rules, type Voter } from './rater.ts'
import { seeded } from './result.ts'

/** Numbers of judged prompts that are kept; each goes on from the one before. */
export const stages = [30, 60, 120, 300]
const people = 10
/** Generated handbooks beside those in the fixtures: three hundred prompts need more questions. */
const more = { seed: 23, count: 6 }

/** The taste of everybody who judges. */
export const rule = rules[0] as Rule

/**
 * The data folder in which `prompts` prompts were judged by ten honest people; don't change it, copy it. Judged once for
 * a model and a seed; a run that was stopped goes on from the last stage.
 */
export async function judgedFolder(
  { model, seed, prompts }: { readonly model: ModelName; readonly seed: number; readonly prompts: number },
  say: (text: string) => void,
): Promise<string> {
  const folder = join(cache, model, `judged-${seed}`, String(prompts))
  if (await isThere(folder)) return folder
  const at = stages.indexOf(prompts)
  if (at < 0) throw new Error(`There are no ${prompts} judged prompts; there are ${stages.join(', ')}.`)
  const before = stages[at - 1]
  const draft = `${folder}.draft`
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true })
  if (before !== undefined)
    await cp(await judgedFolder({ model, seed, prompts: before }, say), draft, { recursive: true })
  say(`judging prompts ${(before ?? 0) + 1} to ${prompts}`)
  await judgeInto(draft, await settingsOf(model, say), { seed, from: before ?? 0, to: prompts })
  await rename(draft, folder)
  return folder
}

/** Settings of every lab here. */
export const labSettings = { HONE_DUEL_RATE: '0.2', HONE_PROFILE: withoutExamples }

async function judgeInto(
  folder: string,
  settings: Readonly<Record<string, string>>,
  { seed, from, to }: { readonly seed: number; readonly from: number; readonly to: number },
): Promise<void> {
  await using lab = await openLab([], { ...settings, ...labSettings }, folder)
  const random = seeded(seed * 1000 + to)
  const prompts = inTurn((await judgedBooks()).map((book) => shuffled(book, seeded(seed)))).slice(0, to)
  if (prompts.length < to) throw new Error(`There are only ${prompts.length} questions.`)
  const open = prompts.map((prompt, i) => ({ ...prompt, voter: panel[i % people] as Voter })).slice(from)
  for (const [book, asked] of Map.groupBy(open, (prompt) => prompt.folder)) {
    await showOnly(book, lab)
    for (const { question, voter } of asked) await judge(question, voter, lab, random)
  }
}

const panel: readonly Voter[] = Array.from({ length: people }, (_, n) =>
  honest(rule, { id: `web:person-${n}`, name: `Person ${n}` }),
)

interface Prompt {
  readonly folder: string
  readonly question: Question
}

function shuffled({ folder, questions }: Handbook, random: () => number): readonly Prompt[] {
  const keyed = questions.filter(({ turns }) => !turns?.length).map((question) => ({ question, key: random() }))
  return keyed.sort((a, b) => a.key - b.key).map(({ question }) => ({ folder, question }))
}

/** The first of each, then the second of each, and so on. @example inTurn([[1, 2], [3]]) // [1, 3, 2] */
export function inTurn<T>(lists: readonly (readonly T[])[]): readonly T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length))
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1))).flat()
}

/** Handbooks that people judge replies on: none of them is the exam's. */
async function judgedBooks(): Promise<readonly Handbook[]> {
  const root = join(cache, 'handbooks')
  if (!(await isThere(root))) {
    await python('handbooks', ['--seed', String(more.seed), '--count', String(more.count), '--out', `${root}.draft`])
    await rename(`${root}.draft`, root)
  }
  return [...(await fixtures()).slice(1), ...(await handbooks(root))]
}

async function fixtures(): Promise<readonly Handbook[]> {
  return (await handbooks()).filter(({ folder }) => /handbook-\d+$/.test(folder))
}

/** The exam of a model: questions on a handbook that nobody judged. Made once. */
export function examOf(model: ModelName, say: (text: string) => void): Promise<Exam> {
  return keptJson(join(cache, model, 'exam.json'), async () => {
    const [unseen] = await fixtures()
    if (!unseen) throw new Error('There are no handbooks under bench/fixtures/starter.')
    say('asking the base the questions of the exam')
    await using lab = await openLab([unseen.folder], {
      ...(await settingsOf(model, say)),
      ...labSettings,
      HONE_DUEL_RATE: '0',
    })
    const single = unseen.questions.filter(({ turns }) => !turns?.length)
    return await makeExam(single, rule, lab)
  })
}
