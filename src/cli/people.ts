import { explain } from '../opinions.ts'
import type { Desk } from './desk.ts'
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
export async function forget(person: string, desk: Desk, output: Output): Promise<void> {
  const found = await desk.forget(person)
  const { rows, versions, retraining } = found
  const lines = [rows > 0 ? `Deleted ${rows} rows of ${person}.` : `Nothing is known of ${person}.`]
  if (versions.length > 0) lines.push(`Learned from it: ${versions.join(', ')}.`)
  if ('job' in retraining) lines.push(`Training without it has started: ${retraining.job}.`)
  else if (versions.length > 0) lines.push(retraining.none)
  output.result(lines.join('\n'), { person, ...found })
}
