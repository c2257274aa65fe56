import { guestOf } from '../../src/id.ts'
import type { ChatMessage } from '../../src/ports/engine.ts'
import type { Store } from '../../src/ports/store.ts'
import { sha256, shuffled } from '../hash.ts'
import type { Pair, Unpaired } from '../pairs.ts'
import type { Collected, Selection } from '../select.ts'
import { bucket } from '../split.ts'
import { invents, lastMessage } from '../text.ts'
import type { PromptProfile } from './facts.ts'
import { type Guard, guardOf } from './guard.ts'

/** A pair, with what its prompt began with and what the model was told there. */
export interface Case extends Pair {
  /** Values of the profile's variables, and the tone, as the turn was told them. */
  readonly values: Readonly<Record<string, string>>
  /** What somebody said of the rejected reply. */
  readonly reasons: readonly string[]
}

/** A judged reply that may stand in the prompt as an example, and who is behind it. */
export interface ExampleCase {
  readonly question: string
  readonly answer: string
  readonly corrected: boolean
}

/** The training side, split once more: proposals never see what candidates are scored on. */
export interface Material {
  readonly shown: readonly Case[]
  readonly scored: readonly Case[]
  readonly heldOut: readonly Case[]
  /** Reasons that people gave for a thumbs-down, on the shown side. */
  readonly reasons: readonly string[]
  readonly examples: readonly ExampleCase[]
  readonly guard: Guard
  /** Everybody whose feedback a candidate may come from, or was chosen by. */
  readonly people: readonly string[]
}

/** More are not scored: the search would cost more than it tells. */
const mostScored = 48
/** Per cent of threads that proposals may look at. */
const shownShare = 40
const fewest = 4

export interface MaterialInput {
  readonly all: Collected
  readonly selection: Selection
  readonly profile: PromptProfile
  readonly store: Pick<Store, 'turns' | 'feedback' | 'past'>
  readonly seed: number
}

/** Gathers what a search works with. */
export async function materialFor({ all, selection, profile, store, seed }: MaterialInput): Promise<Material> {
  const { train, heldOut, unpaired } = selection
  const withTurn = async (pair: Pair): Promise<Case> => {
    const rejected = await store.turns.get(pair.rejectedTurn)
    const chosen = rejected ?? (await store.turns.get(pair.chosenTurn))
    const { votes } = await store.feedback.ofTurn(pair.rejectedTurn)
    const values = (chosen?.role === 'assistant' ? chosen.variables : undefined) ?? {}
    return { ...pair, values, reasons: reasonsOf(votes) }
  }
  const cases = await Promise.all(perPrompt(train).map(withTurn))
  const { shown, scored } = sides(cases)
  const disliked = unpaired.filter(({ liked }) => !liked)
  const lone = await Promise.all(disliked.map(async ({ turn }) => (await store.feedback.ofTurn(turn)).votes))
  const values = cases.map((one) => one.values['person.name'] ?? '')
  const people = peopleOf([...train, ...unpaired])
  const reasons = [...new Set([...shown.flatMap((one) => one.reasons), ...lone.flatMap(reasonsOf)])]
  const said = [...[...all.pairs, ...all.unpaired].flatMap(textsOf), ...reasons]
  const guard = guardOf({ profile, said, people: [...people, ...values] })
  // A candidate that is told the very question it is scored on proves nothing.
  const kept = new Set(scored.flatMap(({ thread, prompt }) => [thread, lastMessage(prompt).question]))
  const liked = unpaired.filter(
    ({ liked: good, thread, prompt }) => good && !kept.has(thread) && !kept.has(lastMessage(prompt).question),
  )
  const served = new Set((await store.past.tenants()).map(guestOf))
  const parts = { alone: served.size <= 1, guard, store }
  const usable = await Promise.all([...shown, ...liked].map((row) => exampleOf(row, parts)))
  return {
    shown,
    scored: shuffled(scored, seed).slice(0, mostScored),
    heldOut: await Promise.all(heldOut.map(withTurn)),
    reasons,
    examples: usable.filter((one) => one !== undefined).toSorted((a, b) => Number(b.corrected) - Number(a.corrected)),
    guard,
    people,
  }
}

/** A prompt with another beginning: the system message and the profile's examples give way to `opening`. */
export function begun(
  prompt: readonly ChatMessage[],
  exampleMessages: number,
  opening: readonly ChatMessage[],
): readonly ChatMessage[] {
  return [...opening, ...prompt.filter(({ role }) => role !== 'system').slice(exampleMessages)]
}

/** Threads are kept whole, unless few threads hold everything; what is asked on both sides is only shown. */
function sides(cases: readonly Case[]): Pick<Material, 'shown' | 'scored'> {
  const by = (key: (one: Case) => string) => {
    const shown = cases.filter((one) => bucket(`shown ${key(one)}`) < shownShare)
    const asked = new Set(shown.map(({ prompt }) => lastMessage(prompt).question))
    const scored = cases.filter((one) => !shown.includes(one) && !asked.has(lastMessage(one.prompt).question))
    return { shown, scored }
  }
  const threads = by(({ thread }) => thread)
  const enough = threads.shown.length >= fewest && threads.scored.length >= fewest
  return enough ? threads : by(({ prompt }) => lastMessage(prompt).question)
}

/** The newest pair of each prompt, corrections before all others. */
function perPrompt(pairs: readonly Pair[]): readonly Pair[] {
  const oldest = pairs.toSorted(
    (a, b) => Number(a.origin === 'correction') - Number(b.origin === 'correction') || a.at.getTime() - b.at.getTime(),
  )
  return [...new Map(oldest.map((pair) => [pair.promptHash, pair])).values()]
}

interface ExampleParts {
  /** One tenant is all that was ever served. */
  readonly alone: boolean
  readonly guard: Guard
  readonly store: Pick<Store, 'turns'>
}

/**
 * The row as an example for everybody, where it may be one. Everybody may see it: nothing restricted could be seen where
 * it was asked, and nobody of another tenant was ever served.
 */
async function exampleOf(
  row: Pair | Unpaired,
  { alone, guard, store }: ExampleParts,
): Promise<ExampleCase | undefined> {
  if (!alone && guestOf(row.tenant) !== '') return undefined
  const answer = 'chosen' in row ? row.chosen : row.text
  const { question, passages } = lastMessage(row.prompt)
  const turn = await store.turns.get('chosen' in row ? row.rejectedTurn : row.turn)
  const asked = turn?.parent ? await store.turns.get(turn.parent) : undefined
  const open = row.channel === 'import' || (asked?.role === 'user' && asked.scopes?.length === 0)
  if (!open) return undefined
  const titles = passages
    .split('\n')
    .filter((line) => /^\[\d+\] /.test(line))
    .join('\n')
  if (invents(row.prompt, answer) || guard.ofExample({ question, answer }, titles) !== undefined) return undefined
  return { question, answer, corrected: 'chosen' in row && row.origin === 'correction' }
}

function reasonsOf(votes: readonly { readonly verdict: string; readonly reason?: string }[]): readonly string[] {
  return votes.flatMap(({ verdict, reason = '' }) =>
    verdict === 'down' && reason.trim() !== '' ? [reason.trim()] : [],
  )
}

function textsOf(row: Pair | Unpaired): readonly string[] {
  const { question } = lastMessage(row.prompt)
  return 'chosen' in row ? [question, row.chosen, row.rejected] : [question, row.text]
}

/** Everybody who judged or asked what is on record. */
export function peopleOf(rows: readonly (Pair | Unpaired)[]): readonly string[] {
  return [...new Set(rows.flatMap(everybody))].sort()
}

function everybody({ people, asker }: Pair | Unpaired): readonly string[] {
  return asker === undefined ? people : [asker, ...people]
}

/** What decides a search: the same gives the same state on the disk. */
export function idsOf({ train, heldOut, unpaired }: Selection): string {
  return sha256(JSON.stringify([train, heldOut, unpaired].map((rows) => rows.map(({ id }) => id))))
}
