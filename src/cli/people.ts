import { explain } from '../opinions.ts'
import type { Output } from './output.ts'
import type { Parts } from './parts.ts'

/** `hone why TURN`: version, profile, passages, and the votes behind the version. */
export async function why(turn: string, parts: Parts, output: Output): Promise<void> {
  const found = await explain(turn, await parts.store(), await parts.learning())
  const { version, profile, text, sources } = found.turn
  const lines = [
    `Reply    ${text}`,
    `Version  ${version}`,
    `Profile  ${profile}`,
    ...sources.map(({ number, title, document }) => `Passage  [${number}] ${title} (${document})`),
    ...found.votes.map(
      ({ verdict, person, reason }) => `Vote     ${verdict} by ${person}${reason ? `: ${reason}` : ''}`,
    ),
    `Learned from ${found.pairs.length} pairs.`,
    ...found.pairs.map(
      ({ origin, chosen, rejected, people }) => `Pair     ${chosen} over ${rejected} (${origin}, ${people.join(', ')})`,
    ),
  ]
  output.result(lines.join('\n'), found)
}

/** `hone forget PERSON`. */
export async function forget(person: string, parts: Parts, output: Output): Promise<void> {
  const rows = await (await parts.store()).feedback.forget(person)
  await parts.forget(person)
  output.result(rows > 0 ? `Deleted ${rows} rows of ${person}.` : `Nothing is known of ${person}.`, { person, rows })
}
