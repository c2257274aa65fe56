import type { BotTurn, NewBotTurn, Store } from '../src/ports/store.ts'
import type { FeedbackRow } from './formats.ts'
import { sha256 } from './hash.ts'

/** How many rows were taken, and how many were there already. */
export interface Imported {
  readonly added: number
  readonly known: number
}

/** Everything imported belongs to one tenant, channel and person of this name. */
const importer = 'import'

/**
 * Puts rows into the tree of turns as if they had been said here: a question, its replies with exactly the row's
 * prompt, and a duel (preference) or a vote (rating, example). Ids come from the content, so importing a file again, or
 * the rest of it after a crash, adds nothing twice.
 *
 * @throws HoneError STORE when the store can't take them; what was taken before stays.
 */
export async function importFeedback(store: Store, rows: readonly FeedbackRow[], now = new Date()): Promise<Imported> {
  let added = 0
  for (const row of rows) if (await importRow(store, row, now)) added++
  return { added, known: rows.length - added }
}

async function importRow(store: Store, row: FeedbackRow, at: Date): Promise<boolean> {
  const hash = sha256(JSON.stringify([row.kind, row.prompt, sayings(row), row.kind === 'rated' && row.label]))
  const key = hash.slice(0, 24)
  // A crash may have come between the replies and what was said of them, so the judgement is what counts.
  const { votes, duels } = await store.feedback.ofTurn(`turn_import_${key}_0`)
  if (votes.length + duels.length > 0) return false
  const place = { tenant: importer, channel: importer, thread: `${importer}:${key}`, at }
  const user = await store.turns.appendUser({
    ...place,
    id: `turn_import_${key}_q`,
    parent: null,
    role: 'user',
    text: row.prompt.at(-1)?.content ?? '',
    person: importer,
    event: `${importer}:${key}`,
  })
  const duel = row.kind === 'preference' ? { duel: `duel_import_${key}` } : {}
  const replies = sayings(row).map(
    (text, index): NewBotTurn => ({
      ...place,
      ...duel,
      id: `turn_import_${key}_${index}`,
      parent: user.id,
      role: 'assistant',
      text,
      version: importer,
      profile: importer,
      prompt: row.prompt,
      sources: [],
      usage: { prompt: 0, evaluated: 0, completion: 0 },
    }),
  )
  await say(store, row, await store.turns.appendBot(replies, `${importer}:${key}`), at)
  return true
}

async function say(store: Store, row: FeedbackRow, replies: readonly BotTurn[], at: Date): Promise<void> {
  const [first, second] = replies.map(({ id }) => id)
  if (first === undefined) return
  if (row.kind === 'preference' && second !== undefined) {
    const id = first.replace(/^turn_(.*)_0$/, 'duel_$1')
    return store.feedback.duel({ id, left: first, right: second, person: importer, outcome: 'left', at })
  }
  const verdict = row.kind === 'rated' && !row.label ? 'down' : 'up'
  return store.feedback.vote({ turn: first, person: importer, verdict, at })
}

function sayings(row: FeedbackRow): readonly string[] {
  return row.kind === 'preference' ? [row.chosen, row.rejected] : [row.completion]
}
