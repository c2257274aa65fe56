import assert from 'node:assert/strict'
import { seeded } from '../../../training/hash.ts'
import { alpha, decides, evidence, type Verdicts } from '../../../training/live/evidence.ts'

interface World {
  /** Chance that a person likes what the version says. */
  readonly canary: number
  readonly incumbent: number
  readonly share: number
  /** Share of verdicts that are the outcome of a duel, and the chance that the canary wins one. */
  readonly duels?: number
  readonly wins?: number
}

const none: Verdicts = { canary: { up: 0, down: 0 }, incumbent: { up: 0, down: 0 }, duels: { up: 0, down: 0 } }

const after = (before: Verdicts, arm: keyof Verdicts, up: boolean, by = 1): Verdicts => {
  const { [arm]: tally } = before
  return { ...before, [arm]: up ? { ...tally, up: tally.up + by } : { ...tally, down: tally.down + by } }
}

type Decision = 'better' | 'worse' | 'open'
type Test = (verdicts: Verdicts) => Decision

const ours: Test = (verdicts) => {
  const { better, worse } = evidence(verdicts)
  return better >= decides ? 'better' : worse >= decides ? 'worse' : 'open'
}

/** People come one after the other, and after each one it is looked and, if it decides, stopped. */
function live(world: World, people: number, random: () => number, test = ours): Decision {
  let verdicts = none
  for (let n = 0; n < people; n++) {
    const arm = random() < (world.duels ?? 0) ? 'duels' : random() < world.share ? 'canary' : 'incumbent'
    verdicts = after(verdicts, arm, random() < (arm === 'duels' ? (world.wins ?? 0.5) : world[arm]))
    const decision = test(verdicts)
    if (decision !== 'open') return decision
  }
  return 'open'
}

function shares(world: World, people: number, test = ours): Readonly<Record<Decision, number>> {
  const runs = 100
  const random = seeded(20_260_501)
  const found = { better: 0, worse: 0, open: 0 }
  for (let run = 0; run < runs; run++) found[live(world, people, random, test)] += 1 / runs
  return found
}

describe('the sequential test of a canary', function () {
  this.timeout(300_000)

  it('decides wrongly in at most 5 % of all canaries that are no different, looked at after every single person', () => {
    for (const [rate, share] of [
      [0.5, 0.5],
      [0.75, 0.2],
      [0.95, 0.1],
    ] as const) {
      const world = { canary: rate, incumbent: rate, share, duels: 0.2 }
      const { better, worse } = shares(world, 150)
      assert.ok(better + worse <= alpha, JSON.stringify({ ...world, better, worse }))
    }
  })

  it('is needed: a test for a fixed number of people, looked at as often, is wrong far more often', () => {
    const z: Test = ({ canary, incumbent }) => {
      const [n, m] = [canary.up + canary.down, incumbent.up + incumbent.down]
      if (n < 5 || m < 5) return 'open'
      const p = (canary.up + incumbent.up) / (n + m)
      const score = (canary.up / n - incumbent.up / m) / Math.sqrt(p * (1 - p) * (1 / n + 1 / m))
      return score > 1.96 ? 'better' : score < -1.96 ? 'worse' : 'open'
    }
    const { better, worse } = shares({ canary: 0.75, incumbent: 0.75, share: 0.5 }, 150, z)
    assert.ok(better + worse > 2 * alpha, `${better + worse}`)
  })

  it('finds a better one and a worse one: 60 % liked against 90 %, among 250 people, in nine of ten cases', () => {
    const found = shares({ canary: 0.9, incumbent: 0.6, share: 0.5 }, 250)
    assert.ok(found.better >= 0.9 && found.worse === 0, JSON.stringify(found))
    const lost = shares({ canary: 0.6, incumbent: 0.9, share: 0.5 }, 250)
    assert.ok(lost.worse >= 0.9 && lost.better === 0, JSON.stringify(lost))
  })

  it('learns most from duels: 80 % won, among 60 people, is found in nine of ten cases', () => {
    const found = shares({ canary: 0.5, incumbent: 0.5, share: 0.2, duels: 1, wins: 0.8 }, 60)
    assert.ok(found.better >= 0.9 && found.worse === 0, JSON.stringify(found))
  })

  it('expects no gain from what is no better, computed exactly over all that few people may say', () => {
    for (const [canary, incumbent] of [
      [0.5, 0.5],
      [0.85, 0.85],
      [0.4, 0.6],
    ] as const) {
      let expected = 0
      for (let a = 0; a <= 10; a++)
        for (let b = 0; b <= 14; b++)
          for (let w = 0; w <= 4; w++) {
            const verdicts = {
              canary: { up: a, down: 10 - a },
              incumbent: { up: b, down: 14 - b },
              duels: { up: w, down: 4 - w },
            }
            const chance = binomial(10, a, canary) * binomial(14, b, incumbent) * binomial(4, w, 0.5)
            expected += chance * evidence(verdicts).better
          }
      assert.ok(expected <= 1, `${canary} against ${incumbent}: ${expected}`)
    }
  })

  it('stays within its error where people vote often, have their own mind, and change it', () => {
    const random = seeded(7)
    let wrong = 0
    const runs = 30
    for (let run = 0; run < runs; run++) if (fickle(random) !== 'open') wrong += 1 / runs
    assert.ok(wrong <= alpha, `${wrong}`)
  })

  it('says nothing of nothing, and the same from the other side', () => {
    assert.deepEqual(evidence(none), { better: 1, worse: 1 })
    const some = { canary: { up: 9, down: 1 }, incumbent: { up: 12, down: 30 }, duels: { up: 3, down: 2 } }
    const turned = { canary: some.incumbent, incumbent: some.canary, duels: { up: 2, down: 3 } }
    const [one, other] = [evidence(some), evidence(turned)]
    assert.ok(Math.abs(one.better - other.worse) < 1e-9 * one.better)
    assert.ok(one.better > 1 && one.worse < 1)
  })
})

/** Two equal versions and 40 people, each with a rate of their own, who vote up to five times and turn one vote in five. */
function fickle(random: () => number): Decision {
  const people = Array.from({ length: 40 }, () => ({
    arm: random() < 0.3 ? ('canary' as const) : ('incumbent' as const),
    rate: 0.4 + 0.6 * random(),
    votes: [] as boolean[],
  }))
  for (let click = 0; click < 160; click++) {
    const person = people[Math.floor((random() * people.length * (click + 1)) / 160)] as (typeof people)[number]
    const like = random() < person.rate
    if (person.votes.length > 0 && random() < 0.2) person.votes[Math.floor(random() * person.votes.length)] = like
    else person.votes.push(like)
    let verdicts = none
    for (const { arm, votes } of people) {
      const balance = votes.filter(Boolean).length * 2 - votes.length
      if (balance !== 0) verdicts = after(verdicts, arm, balance > 0)
    }
    const decision = ours(verdicts)
    if (decision !== 'open') return decision
  }
  return 'open'
}

function binomial(n: number, k: number, p: number): number {
  let ways = 1
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i
  return ways * p ** k * (1 - p) ** (n - k)
}
