import { HoneError } from '../src/errors.ts'
import type { Example, ExampleQuery, Examples } from '../src/ports/examples.ts'
import type { Knowledge } from '../src/ports/knowledge.ts'
import type { BotTurn, Judged, Store, UserTurn } from '../src/ports/store.ts'
import { pairsOf, unpairedOf } from './pairs.ts'
import { redact } from './redact.ts'
import type { Registry } from './registry.ts'
import { secretIn } from './secrets.ts'

export interface ExamplesOptions {
  readonly store: Pick<Store, 'feedback' | 'turns'>
  /** Where it is asked whether an example's passages still stand in the documents, for whoever asks. */
  readonly knowledge: Pick<Knowledge, 'search'>
  readonly embed: NonNullable<Knowledge['embed']>
  /** Channels whose feedback may be used. */
  readonly trainOn: readonly string[]
  /** Ids of the replies and corrections that a trained version was taught to prefer. */
  readonly learnedBy: (version: string) => Promise<readonly string[]>
}

/** So many judged prompts of a tenant are looked through, the newest. */
const looked = 500
/** A liked reply shows nothing new unless its question is nearly the same: cosine of the two questions. */
const nearEnoughLiked = 0.5
/** Longer ones cost more room than they are worth. */
export const longestExample = 1500

/** An example with all that decides who may be told it. */
interface Candidate extends Example {
  readonly corrected: boolean
  readonly scopes: readonly string[] | undefined
  /** Texts of the passages that the answer cites. */
  readonly cited: readonly string[]
  readonly vector: Float32Array
}

/**
 * Judged replies as examples for the next question. What is known is derived from the store: nothing is kept besides, and
 * each example is read from the store again before it is told, so what was withdrawn, changed or forgotten never is.
 *
 * @example
 * const examples = createExamples({ store, knowledge, embed, trainOn: ['web'], learnedBy: async () => [] })
 * await examples.near('How many days off?', { tenant: 'web', person: 'web:anna', scopes: [], of: 'own', version: 'v0', limit: 2 })
 */
export function createExamples(options: ExamplesOptions): Examples {
  const { store } = options
  const tenants = new Map<string, Promise<Map<string, Candidate>>>()
  const learned = new Map<string, ReadonlySet<string>>()
  let waiting = new Set<string>()

  async function load(tenant: string): Promise<Map<string, Candidate>> {
    const found = new Map<string, Candidate>()
    for await (const judged of store.feedback.judged({ tenant, newest: looked })) {
      const candidate = await candidateOf(judged, options)
      if (candidate) found.set(keyOf(judged), candidate)
    }
    return found
  }

  /** What a tenant's people said, with what they said since the last question. */
  async function known(tenant: string): Promise<Map<string, Candidate>> {
    const loading = tenants.get(tenant) ?? load(tenant)
    tenants.set(tenant, loading)
    const candidates = await loading.catch((error: unknown) => {
      tenants.delete(tenant)
      throw error
    })
    const turns = waiting
    waiting = new Set()
    for (const turn of turns) await renew(turn)
    return candidates
  }

  /** Reads again what was said of one prompt, and keeps what it comes to now. */
  async function renew(turn: string): Promise<Candidate | undefined> {
    for await (const judged of store.feedback.judged({ turn })) {
      const candidates = await tenants.get(judged.tenant)
      const now = await candidateOf(judged, options)
      candidates?.delete(keyOf(judged))
      if (now) candidates?.set(keyOf(judged), now)
      return now
    }
    return undefined
  }

  async function learnedBy(version: string): Promise<ReadonlySet<string>> {
    const found = learned.get(version) ?? new Set(version === 'v0' ? [] : await options.learnedBy(version))
    learned.set(version, found)
    return found
  }

  return {
    judged(tenant, turn) {
      if (tenants.has(tenant)) waiting.add(turn)
    },
    clear() {
      tenants.clear()
      waiting.clear()
    },
    async near(question, query) {
      const candidates = [...(await known(query.tenant)).values()]
      const gone = await learnedBy(query.version)
      const open = candidates.filter((one) => !gone.has(one.id) && maySee(one, query))
      if (open.length === 0) return []
      const [vector] = await options.embed([question], query.signal)
      if (!vector) throw new HoneError('ENGINE_FAILED', 'The embedder gave no vector for the question.')
      const told: Example[] = []
      for (const { turn, id } of ranked(open, vector)) {
        if (told.length >= query.limit) break
        const now = await renew(turn)
        if (now?.id === id && (await stillSaid(now, query, options))) told.push(forAsker(now, query))
      }
      return told
    },
  }
}

/**
 * What each version was taught: it needs no telling while that version serves, and is told again after a rollback.
 *
 * @example createExamples({ store, knowledge, embed, trainOn, learnedBy: taughtBy(registry) })
 */
export function taughtBy({ get }: Pick<Registry, 'get'>): ExamplesOptions['learnedBy'] {
  return async (version) => (await get(version)).manifest.pairs.map(({ chosen }) => chosen)
}

function keyOf({ tenant, thread, promptHash, replies }: Judged): string {
  return JSON.stringify([tenant, thread, replies[0]?.turn.parent, promptHash])
}

/** The best that people made of one prompt: the newest correction, else a winner, else a lone reply that was liked. */
async function candidateOf(judged: Judged, { store, embed, trainOn }: ExamplesOptions): Promise<Candidate | undefined> {
  if (!trainOn.includes(judged.channel)) return undefined
  const best = bestOf(judged)
  const parent = judged.replies[0]?.turn.parent
  const asked = parent ? await store.turns.get(parent) : undefined
  if (!best || asked?.role !== 'user') return undefined
  const { text: question } = asked
  if (question.length + best.answer.length > longestExample) return undefined
  if (secretIn(question) !== undefined || secretIn(best.answer) !== undefined) return undefined
  const [vector] = await embed([question])
  return vector && { ...best, ...ofAsker(asked, best.people), question, vector }
}

function ofAsker({ person, scopes }: UserTurn, judges: readonly string[]): Pick<Candidate, 'people' | 'scopes'> {
  return { people: [...new Set([person, ...judges])], scopes }
}

type Best = Pick<Candidate, 'id' | 'answer' | 'turn' | 'people' | 'corrected' | 'cited'>

function bestOf(judged: Judged): Best | undefined {
  const turns = new Map(judged.replies.map(({ turn }) => [turn.id, turn]))
  const newestFirst = pairsOf(judged).toSorted((a, b) => b.at.getTime() - a.at.getTime())
  const pair = newestFirst.find(({ origin }) => origin === 'correction') ?? newestFirst[0]
  const liked = unpairedOf(judged).find((row) => row.liked)
  const chosen = pair
    ? { id: pair.chosenTurn, answer: pair.chosen, people: pair.people }
    : liked && { id: liked.turn, answer: liked.text, people: liked.people }
  const reply = turns.get(chosen?.id ?? '') ?? turns.get(pair?.rejectedTurn ?? '')
  if (!chosen || !reply) return undefined
  return { ...chosen, turn: reply.id, corrected: pair?.origin === 'correction', cited: citedBy(chosen.answer, reply) }
}

function citedBy(answer: string, { sources }: BotTurn): readonly string[] {
  const numbers = new Set([...answer.matchAll(/\[(\d+)\]/g)].map(([, digits]) => Number(digits)))
  return sources.filter(({ number }) => numbers.has(number)).map(({ text }) => text)
}

/** Only who sees all that could be seen where it was asked; a turn of which that isn't known is told to nobody. */
function maySee({ people, scopes }: Candidate, query: ExampleQuery): boolean {
  if (query.of === 'own' && people.some((person) => person !== query.person)) return false
  return scopes?.every((scope) => query.scopes.includes(scope)) ?? false
}

/** The nearest first. A correction says how to answer whatever is asked, a liked reply only what was asked like this. */
export function ranked<C extends { readonly corrected: boolean; readonly vector: Float32Array }>(
  candidates: readonly C[],
  vector: Float32Array,
): readonly C[] {
  return candidates
    .map((one) => ({ one, near: one.vector.reduce((sum, value, i) => sum + value * (vector[i] ?? 0), 0) }))
    .filter(({ one, near }) => near >= (one.corrected ? Number.MIN_VALUE : nearEnoughLiked))
    .sort((a, b) => b.near - a.near)
    .map(({ one }) => one)
}

/** Documents change: an answer whose passages aren't found any more, or not by whoever asks, may be wrong by now. */
async function stillSaid(example: Candidate, query: ExampleQuery, { knowledge }: ExamplesOptions): Promise<boolean> {
  if (example.cited.length === 0) return true
  const { tenant, scopes, signal } = query
  const options = { tenant, scopes, limit: 20, ...(signal ? { signal } : {}) }
  const texts = new Set((await knowledge.search(example.question, options)).map(({ text }) => text))
  return example.cited.every((text) => texts.has(text))
}

/** What somebody else said is told without their personal data. */
function forAsker({ id, question, answer, turn, people, cited }: Candidate, { person }: ExampleQuery): Example {
  const own = people.every((one) => one === person)
  const clean = (text: string) => (own ? text : redact(text, cited.join('\n')))
  return { id, question: clean(question), answer: clean(answer), turn, people }
}
