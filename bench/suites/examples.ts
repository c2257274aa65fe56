import { type Behaviour, behaviour } from '../judging.ts'
import { handbooks, type Lab, openLab, type Question, rater, withoutExamples } from '../lab.ts'
import { type Rule, rules, sourceOf } from '../rater.ts'
import { atLeast, figure, type Result, seeded } from '../result.ts'

const corrections = 10
const asked = 30

/**
 * What ten corrections do before any training: fresh replies to other questions on the same handbook, with the
 * corrections told as examples (the profile's `learn: own`) and without (`learn: off`).
 */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const rule of rules) {
    const without = await corrected(rule, { HONE_PROFILE: withoutExamples })
    say(`${rule.name}, not told: ${JSON.stringify(without)}`)
    const told = await corrected(rule, {})
    say(`${rule.name}, told: ${JSON.stringify(told)}`)
    const name = (what: string) => `examples.${rule.name}.${what}`
    results.push(
      atLeast(name('follows-gain'), told.follows - without.follows, 0.4, 'share', {
        without: without.follows,
        told: told.follows,
      }),
      atLeast(name('right-gain'), told.right - without.right, -0.02, 'share', {
        without: without.right,
        told: told.right,
      }),
      figure(name('says-unknown-gain'), told.knowsNot - without.knowsNot, 'share', {
        without: without.knowsNot,
        told: told.knowsNot,
      }),
    )
  }
  return results
}

async function corrected(rule: Rule, settings: Readonly<Record<string, string>>): Promise<Behaviour> {
  const [book] = (await handbooks()).filter(({ folder }) => /handbook-\d+$/.test(folder))
  if (!book) throw new Error('There are no handbooks under bench/fixtures/starter.')
  await using lab = await openLab([book.folder], { HONE_DUEL_RATE: '0', ...settings })
  const random = seeded(1)
  const shuffled = book.questions.filter(({ turns }) => !turns?.length).toSorted(() => random() - 0.5)
  const used = new Set<Question>()
  for (const question of shuffled) {
    if (used.size >= corrections) break
    if (question.answer !== null && (await correct(question, rule, lab))) used.add(question)
  }
  return await behaviour(shuffled.filter((question) => !used.has(question)).slice(-asked), rule, lab)
}

/** Writes a better answer where the passage with the answer was found. */
async function correct(question: Question, rule: Rule, lab: Lab): Promise<boolean> {
  const [reply] = (await lab.ask(question.question)).replies
  const source = reply && (await sourceOf(question, reply.turn, lab))
  if (!source || question.answer === null) return false
  const text = rule.write(question.answer, source)
  await lab.bot.feedback({ kind: 'correction', turn: reply.turn, text, tenant: 'web', person: rater })
  return true
}
