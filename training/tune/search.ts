import { asHoneError } from '../../src/errors.ts'
import type { Engine } from '../../src/ports/engine.ts'
import type { PromptTexts, TriedPrompt, TuneBudget } from '../../src/ports/tune.ts'
import { shuffled } from '../hash.ts'
import { stopIf } from '../measure.ts'
import { begun, type Case, type Material } from './cases.ts'
import { crossed, type Draft, keyOf, shortened, unique, withExamples, withRule, wordCount } from './draft.ts'
import type { PromptFacts, PromptProfile } from './facts.ts'
import { proposeLines } from './propose.ts'
import { type Seen, see, worthOf } from './score.ts'
import type { SearchState } from './state.ts'
import { rulesFrom } from './traits.ts'

/** What a search works with. */
export interface SearchInput {
  readonly material: Material
  readonly facts: PromptFacts
  /** The profile that serves: what candidates must beat. */
  readonly serving: PromptProfile
  /** The profile that candidates change. */
  readonly start: PromptProfile
  readonly budget: TuneBudget
  readonly seed: number
  /** Lends the engine that proposes. */
  readonly teacher?: <T>(work: (engine: Engine) => Promise<T>) => Promise<T>
  readonly before: SearchState
  /** Called after each candidate; the state is on disk once it resolves. */
  readonly save: (state: SearchState) => Promise<void>
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** The candidates that were tried, best first, and what it cost. */
export interface Found {
  readonly ranked: readonly (TriedPrompt & { readonly draft: Draft })[]
  readonly spent: SearchState['spent']
}

const generations = 4
const widths = { least: 4, most: 16 } as const
/** Values this near are the same: then the shorter prompt is better. */
const near = 0.01
/** Fewer prompts tell luck from nothing. */
const fewest = 4
const servingKey = 'serving'

/**
 * Successive halving (https://arxiv.org/abs/1502.07943) over generations of candidates: many on a few prompts, the better
 * half on more of them, and so on; the next generation changes the best of the one before. It ends when the budget is
 * spent, or after four generations. Started again from its state, it evaluates nothing twice.
 */
export async function search(engine: Engine, input: SearchInput): Promise<Found> {
  const run = runOf(engine, input)
  await run.see(servingKey, { profile: input.serving, texts: input.serving }, run.rungs.length - 1)
  for (let generation = 0; generation < generations && run.left() > 0; generation++) {
    const drafts = await run.drafts(generation)
    if (drafts.length === 0) break
    let alive = drafts
    for (const rung of run.rungs.keys()) {
      const done: Draft[] = []
      for (const [i, draft] of alive.entries()) {
        if (run.left() <= 0) break
        run.announce(generation, { rung, at: i + 1, of: alive.length })
        await run.see(keyOf(draft), { profile: input.start, texts: draft.texts }, rung)
        done.push(draft)
      }
      const best = done.toSorted((a, b) => run.value(b, rung) - run.value(a, rung))
      alive = best.slice(0, Math.max(2, Math.ceil(alive.length / 2)))
    }
  }
  return { ranked: run.ranked(), spent: run.state().spent }
}

interface Begins {
  readonly profile: PromptProfile
  readonly texts: PromptTexts
}

function runOf(engine: Engine, input: SearchInput) {
  const { material, facts, budget, signal, say, save, before } = input
  const { scored } = material
  const rungs = rungsOf(scored.length)
  const meter = { tokens: before.spent.tokens }
  const clock = performance.now()
  const state = {
    generations: [...before.generations] as (readonly Draft[])[],
    seen: { ...before.seen } as Record<string, readonly Seen[]>,
  }
  const spent = () => ({
    tokens: meter.tokens,
    seconds: before.spent.seconds + (performance.now() - clock) / 1000,
  })
  const now = (): SearchState => ({ format: 1, ...state, spent: spent() })
  const left = (): number => {
    const { tokens, seconds } = spent()
    return budget.tokens === undefined ? 1 - seconds / ((budget.minutes ?? 0) * 60) : 1 - tokens / budget.tokens
  }
  // Fresh answers are what people see, and cost most: those alone that came through the first rung are asked for them.
  const isFresh = (rung: number) => rung > 0 || rungs.length === 1 || engine.score === undefined

  async function look(key: string, { profile, texts }: Begins, rung: number): Promise<void> {
    const known = state.seen[key] ?? []
    if (known.length >= (rungs[rung] ?? 0)) return
    const begin = async (one: Case) =>
      begun(one.prompt, await facts.exampleMessages(one.profile), await facts.opening(profile, texts, one.values))
    const options = { begin, fresh: isFresh(rung), known, meter, signal }
    state.seen[key] = await see(engine, scored.slice(0, rungs[rung]), options)
    stopIf(signal)
    await save(now())
  }

  const value = (draft: Draft, rung: number): number => {
    const first = (key: string) => (state.seen[key] ?? []).slice(0, rungs[rung])
    return worthOf(first(keyOf(draft)), first(servingKey), isFresh(rung))
  }

  function ranked(): Found['ranked'] {
    const all = state.generations.flatMap((drafts, generation) =>
      drafts.flatMap((draft) => {
        const rung = rungs.indexOf(state.seen[keyOf(draft)]?.length ?? 0)
        if (rung < 0) return []
        const { what } = draft
        return [{ draft, what, generation, value: value(draft, rung), n: rungs[rung] ?? 0, rung }]
      }),
    )
    // Who came farther has beaten the others on what they have in common.
    return all
      .toSorted(
        (a, b) =>
          b.rung - a.rung ||
          Math.round((b.value - a.value) / near) ||
          wordCount(a.draft.texts) - wordCount(b.draft.texts),
      )
      .map(({ rung: _, ...one }) => one)
  }

  /** So many that the generations which are left fit the budget. */
  function width(generation: number): number {
    const { tokens, seconds } = spent()
    const done = Object.values(state.seen).reduce((sum, list) => sum + list.length, 0)
    const share = budget.tokens === undefined ? seconds / ((budget.minutes ?? 0) * 60) : tokens / budget.tokens
    const each = share / Math.max(1, done)
    const cases = rungs.reduce((sum, size, rung) => sum + size / 2 ** rung, 0)
    const fits = Math.floor(left() / (generations - generation) / (each * cases))
    return Math.min(widths.most, Math.max(widths.least, fits))
  }

  async function drafts(generation: number): Promise<readonly Draft[]> {
    const known = state.generations[generation]
    if (known) return known
    const count = width(generation)
    const made = await proposals(engine, { ...input, ranked: ranked(), generation, meter })
    const tried = new Set(state.generations.flat().map(keyOf))
    const first = { texts: textsOf(input.serving), what: '' }
    const chosen = unique(made, new Set([...tried, keyOf(first)])).slice(0, count)
    state.generations.push(chosen)
    await save(now())
    return chosen
  }

  function announce(generation: number, { rung, at, of }: { rung: number; at: number; of: number }): void {
    if (at !== 1) return
    const { seconds } = spent()
    const minutes =
      budget.minutes === undefined ? ((seconds / (1 - left() || 1)) * left()) / 60 : left() * budget.minutes
    const rest = Number.isFinite(minutes) ? ` At most about ${Math.max(1, Math.ceil(minutes))} min of search left.` : ''
    say(`Generation ${generation + 1} of ${generations}: ${of} candidates on ${rungs[rung]} prompts.${rest}`)
  }

  return { rungs, left, drafts, see: look, value, ranked, announce, state: now }
}

/** Sizes of the rungs: a quarter of the prompts, half of them, all of them. */
export function rungsOf(prompts: number): readonly number[] {
  const sizes = [Math.ceil(prompts / 4), Math.ceil(prompts / 2)].filter((size) => size >= fewest && size < prompts)
  return [...new Set([...sizes, prompts])]
}

interface ProposalInput extends SearchInput {
  readonly ranked: Found['ranked']
  readonly generation: number
  readonly meter: { tokens: number }
}

/** Candidates of one generation, the most promising first: kinds take turns, so that a small width has some of each. */
async function proposals(engine: Engine, input: ProposalInput): Promise<readonly Draft[]> {
  const { material, start, serving, ranked, generation, seed, say, signal, teacher } = input
  const first: Draft = {
    texts: textsOf(start),
    what: start.version === serving.version ? '' : `profile ${start.version}`,
  }
  const parents = [
    ...ranked
      .filter(({ value }) => value > 0.5)
      .map(({ draft }) => draft)
      .slice(0, 2),
    first,
  ]
  const [parent = first, second] = parents
  const ask = (by: Engine) =>
    proposeLines(by, { ...input, texts: parent.texts, tried: ranked, seed: seed + 100 * generation })
  const who = teacher ? 'The teacher' : 'The model'
  const lines = await (teacher ? teacher(ask) : ask(engine)).catch((error: unknown) => {
    stopIf(signal)
    // What needs no model goes on.
    say(`${who} could not propose: ${asHoneError(error, 'ENGINE_FAILED', 'it failed').message}`)
    return []
  })
  if (lines.length > 0) say(`${who} proposed ${lines.length} usable instructions.`)
  const rules = rulesFrom(material.shown).filter((rule) => material.guard.ofLine(rule) === undefined)
  const added = (by: readonly string[]) => by.flatMap((rule) => withRule(parent, rule) ?? [])
  const sets = exampleSets(material.examples, seed + generation).map((set) => withExamples(parent, set))
  const pairs = ranked.slice(0, 4).map(({ draft }) => draft)
  const kinds = [
    ...(start.version === serving.version || generation > 0 ? [] : [[first]]),
    second && second !== first ? [crossed(parent, second)] : [],
    pairs.flatMap((one, i) => pairs.slice(i + 1).map((other) => crossed(one, other))),
    sets,
    added(rules),
    added(lines),
    shortened(parent),
  ]
  return inTurn(kinds)
}

function inTurn<T>(lists: readonly (readonly T[])[]): readonly T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length))
  return Array.from({ length: longest }, (_, i) =>
    lists.flatMap((list) => (i < list.length ? [list[i] as T] : [])),
  ).flat()
}

/** Sets of one to three examples: corrected replies first, then at random. */
function exampleSets(examples: Material['examples'], seed: number): readonly PromptTexts['examples'][] {
  const plain = (list: Material['examples']) => list.map(({ question, answer }) => ({ question, answer }))
  const corrected = examples.filter((one) => one.corrected)
  const orders = [corrected, ...[1, 2, 3].map((n) => shuffled(examples, seed + n))]
  return orders
    .flatMap((order) => [2, 3, 1].map((size) => plain(order.slice(0, size))))
    .filter(({ length }) => length > 0)
}

export function textsOf({ hidden, rules, examples }: PromptTexts): PromptTexts {
  return { hidden, rules, examples }
}
