import { counted } from '../counted.ts'
import { explain, type SaidOf, saidBehind } from '../opinions.ts'
import type { BotTurn, Store, ToolCall, UserTurn } from '../ports/store.ts'
import type { Parts } from './parts.ts'

/** An answer as people read it, and as data. */
export interface Told {
  readonly text: string
  readonly data: object
}

/** Version, profile, passages, and the votes that shaped the version, pair by pair. */
export async function whyOf(turn: string, parts: Pick<Parts, 'store' | 'learning'>): Promise<Told> {
  const store = await parts.store()
  const asked = await store.turns.get(turn)
  if (asked?.role === 'user') return whyOfMessage(asked, store)
  const found = await explain(turn, store, await parts.learning())
  const pairs = await Promise.all(found.pairs.map(async (pair) => ({ ...pair, said: await saidBehind(pair, store) })))
  const { version, profile, text, sources, explanation } = found.turn
  const lines = [
    `Reply    ${text}`,
    ...(explanation ? [`Why      ${explanation.text} (${explanation.style}, ${explanation.show})`] : []),
    `Version  ${version}`,
    `Profile  ${profile}`,
    ...sources.map(({ number, title, document }) => `Passage  [${number}] ${title} (${document})`),
    ...outputLines(found.turn),
    ...found.votes.map(
      ({ verdict, person, reason }) => `Vote     ${verdict} by ${person}${reason ? `: ${reason}` : ''}`,
    ),
    `Learned from ${counted(found.pairs.length, 'pair')}.`,
    ...pairs.flatMap(({ origin, chosen, rejected, people, said }) => [
      `Pair     ${chosen} over ${rejected} (${origin}, ${people.join(', ')})`,
      ...said.map(saidLine),
    ]),
  ]
  return { text: lines.join('\n'), data: { ...found, pairs } }
}

function saidLine({ what, turn, person, at, reason }: SaidOf): string {
  return `         ${what} ${turn} by ${person}, ${at.toISOString().slice(0, 10)}${reason ? `: ${reason}` : ''}`
}

/** Of a person's message: the replies to it, and what tools did where there is none. */
async function whyOfMessage(asked: UserTurn, { turns, calls }: Store): Promise<Told> {
  const replies = (await turns.answers(asked.event)).map(({ id }) => id)
  const tools = await calls.of(asked.event)
  const lines = [`Message  ${asked.text}`, `Replies  ${replies.join(', ') || 'none was kept'}`, ...toolLines(tools)]
  return { text: lines.join('\n'), data: { turn: asked, replies, tools } }
}

function toolLines(tools: readonly ToolCall[]): readonly string[] {
  return tools.map(({ name, arguments: given, state }) => `Tool     ${name} ${JSON.stringify(given)}: ${state}`)
}

function outputLines({ output, tools = [] }: BotTurn): readonly string[] {
  const values = output && 'values' in output ? Object.entries(output.values) : []
  return [
    ...toolLines(tools),
    ...values.map(([name, value]) => `Output   ${name}: ${JSON.stringify(value)}`),
    ...(output && 'failed' in output ? [`Output   could not be read: ${output.failed}`] : []),
  ]
}
