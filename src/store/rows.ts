import type { Insertable, Selectable } from 'kysely'
import type { Source } from '../ports/channel.ts'
import type { Usage } from '../ports/engine.ts'
import type {
  BotTurn,
  Correction,
  Duel,
  Explanation,
  NewBotTurn,
  Output,
  ToldExample,
  ToolCall,
  Turn,
  UserTurn,
  Vote,
} from '../ports/store.ts'
import { sha256 } from './hash.ts'
import type { CorrectionTable, DuelTable, TurnRow, TurnTable, VoteTable } from './schema.ts'

type NewTurnRow = Insertable<TurnTable>

/** The row of a person's turn. */
export function fromUserTurn(turn: UserTurn): NewTurnRow {
  const { id, parent, tenant, channel, thread, role, text, person, event } = turn
  const common = { id, parent, tenant, channel, thread, role, text, at: turn.at.getTime(), person, event }
  const ofReplies = {
    version: null,
    profile: null,
    prompt: null,
    sources: null,
    usage: null,
    duel: null,
    variables: null,
    examples: null,
    output: null,
    tools: null,
    explanation: null,
    scopes: turn.scopes ? JSON.stringify(turn.scopes) : null,
  }
  return { ...common, ...ofReplies, answers: null, family: null }
}

/** The row of a reply; `prompt` is the hash its messages are stored under. */
export function fromBotTurn(turn: NewBotTurn, prompt: string, answers: string): NewTurnRow {
  const { id, parent, tenant, channel, thread, role, text, version, profile } = turn
  return {
    ...{ id, parent, tenant, channel, thread, role, text, at: turn.at.getTime(), person: null, event: null },
    ...{ answers, version, profile, prompt, duel: turn.duel ?? null },
    sources: JSON.stringify(turn.sources),
    usage: JSON.stringify(turn.usage),
    variables: turn.variables ? JSON.stringify(turn.variables) : null,
    examples: turn.examples ? JSON.stringify(turn.examples) : null,
    output: turn.output ? JSON.stringify(turn.output) : null,
    tools: turn.tools ? JSON.stringify(turn.tools) : null,
    explanation: turn.explanation ? JSON.stringify(turn.explanation) : null,
    scopes: null,
    family: sha256(JSON.stringify([tenant, thread, parent, prompt])),
  }
}

/** The turn a row holds. */
export function toTurn(row: TurnRow): Turn {
  return row.role === 'user' ? toUserTurn(row) : toBotTurn(row)
}

/** The person's turn a row holds. */
export function toUserTurn(row: TurnRow): UserTurn {
  const scopes = row.scopes === null ? {} : { scopes: JSON.parse(row.scopes) as readonly string[] }
  return { ...toBase(row), role: 'user', person: row.person as string, event: row.event as string, ...scopes }
}

/** The reply a row holds. */
export function toBotTurn(row: TurnRow): BotTurn {
  return {
    ...toBase(row),
    role: 'assistant',
    version: row.version as string,
    profile: row.profile as string,
    prompt: row.prompt as string,
    sources: JSON.parse(row.sources as string) as readonly Source[],
    usage: JSON.parse(row.usage as string) as Usage,
    ...(row.variables !== null && { variables: JSON.parse(row.variables) as Record<string, string> }),
    ...(row.examples !== null && { examples: JSON.parse(row.examples) as readonly ToldExample[] }),
    ...(row.output !== null && { output: JSON.parse(row.output) as Output }),
    ...(row.tools !== null && { tools: JSON.parse(row.tools) as readonly ToolCall[] }),
    ...(row.explanation !== null && { explanation: JSON.parse(row.explanation) as Explanation }),
    ...(row.duel !== null && { duel: row.duel }),
  }
}

function toBase({ id, parent, tenant, channel, thread, text, at }: TurnRow) {
  return { id, parent, tenant, channel, thread, text, at: new Date(at) }
}

/** The vote a row holds. */
export function toVote({ turn, person, verdict, reason, at }: Selectable<VoteTable>): Vote {
  return { turn, person, verdict, ...(reason !== null && { reason }), at: new Date(at) }
}

/** The correction a row holds. */
export function toCorrection({ id, turn, person, text, at }: Selectable<CorrectionTable>): Correction {
  return { id, turn, person, text, at: new Date(at) }
}

/** The duel a row holds. */
export function toDuel(row: Selectable<DuelTable>): Duel {
  const { id, left_turn: left, right_turn: right, person, outcome, at } = row
  return { id, left, right, person, outcome, at: new Date(at) }
}
