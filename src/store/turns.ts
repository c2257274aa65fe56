import type { Insertable } from 'kysely'
import { HoneError } from '../errors.ts'
import type { ChatMessage } from '../ports/engine.ts'
import type { BotTurn, NewBotTurn, Turns, UserTurn } from '../ports/store.ts'
import { canonicalJson, sha256 } from './hash.ts'
import { hot } from './hot.ts'
import { fromBotTurn, fromUserTurn, toBotTurn, toTurn, toUserTurn } from './rows.ts'
import type { Db, Session, TurnRow, TurnTable } from './schema.ts'
import { branch, threads } from './threads.ts'

/** The tree of turns. */
export function turns(session: Session): Turns {
  const { db, writeAll } = session
  return {
    appendUser: (turn) =>
      writeAll(async (on) => {
        await refuseForgotten(on, session, turn.event)
        return appendUser(on, turn)
      }),
    appendBot: (replies, eventId, asked) =>
      writeAll(async (on) => {
        await refuseForgotten(on, session, eventId)
        const earlier = await answersTo(on, eventId)
        if (earlier.length > 0 || replies.length === 0) return earlier
        if (!asked) return appendBot(on, replies, eventId)
        const { id: parent } = await appendUser(on, asked)
        const below = replies.map((reply) => ({ ...reply, parent }))
        return appendBot(on, below, eventId)
      }),
    answers: (eventId) => answersTo(db, eventId),
    async get(id) {
      const row = await db.selectFrom('turn').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toTurn(row)
    },
    async prompt(hash) {
      const row = await db.selectFrom('prompt').select('messages').where('hash', '=', hash).executeTakeFirst()
      if (!row) throw new HoneError('NOT_FOUND', `There is no prompt ${hash}; its conversation may have been deleted.`)
      return JSON.parse(row.messages) as readonly ChatMessage[]
    },
    async wroteIn(thread, person) {
      const theirs = db.selectFrom('turn').select('id').where('thread', '=', thread).where('person', '=', person)
      return (await theirs.limit(1).executeTakeFirst()) !== undefined
    },
    history: (thread, limit) => branch(db, thread, limit),
    threads: (tenant, person, limit) => threads(db, { tenant, person, limit }),
  }
}

type NewTurn = Insertable<TurnTable>

const insertAsked = hot((on, row: NewTurn) =>
  on
    .insertInto('turn')
    .values(row)
    .onConflict((conflict) => conflict.column('event').doNothing())
    .returningAll(),
)
const insertReply = hot((on, row: NewTurn) => on.insertInto('turn').values(row).returningAll())
const insertPrompt = hot((on, row: { readonly hash: string; readonly messages: string }) =>
  on
    .insertInto('prompt')
    .values(row)
    .onConflict((conflict) => conflict.column('hash').doNothing()),
)
const answering = hot((on, { event }: { readonly event: string }) =>
  on.selectFrom('turn').selectAll().where('answers', '=', event).orderBy('seq'),
)
const outcome = hot((on, { id }: { readonly id: string }) =>
  on.selectFrom('inbox').select('outcome').where('id', '=', id),
)
// The row lock lets writers of one event, and `forget`, wait for each other; SQLite's writers are alone anyway.
const outcomeLocked = hot((on, { id }: { readonly id: string }) =>
  on.selectFrom('inbox').select('outcome').where('id', '=', id).forUpdate(),
)

async function appendUser(on: Db, turn: UserTurn): Promise<UserTurn> {
  const [row] = await insertAsked(on, fromUserTurn(turn))
  if (row) return toUserTurn(row)
  const first = on.selectFrom('turn').selectAll().where('event', '=', turn.event)
  return toUserTurn(await first.executeTakeFirstOrThrow())
}

async function appendBot(on: Db, replies: readonly NewBotTurn[], eventId: string): Promise<readonly BotTurn[]> {
  const hashes = await keepPrompts(on, replies)
  const appended: BotTurn[] = []
  for (const [i, reply] of replies.entries()) {
    const [row] = await insertReply(on, fromBotTurn(reply, hashes[i] as string, eventId))
    appended.push(toBotTurn(row as TurnRow))
  }
  if (replies.some(({ tools }) => tools)) await on.deleteFrom('tool_call').where('event', '=', eventId).execute()
  return appended
}

/** Nothing more is kept of an event whose author was forgotten while it was being answered. */
export async function refuseForgotten(on: Db, { flavour }: Session, eventId: string): Promise<void> {
  const read = flavour.name === 'postgres' ? outcomeLocked : outcome
  const [event] = await read(on, { id: sha256(eventId) })
  if (event?.outcome === 'forgotten') {
    throw new HoneError('NOT_FOUND', 'The message was deleted with everything of the person who wrote it.')
  }
}

/** Keeps each prompt once and answers the hash of each reply's. */
async function keepPrompts(on: Db, replies: readonly NewBotTurn[]): Promise<readonly string[]> {
  const rows = replies.map(({ prompt }) => {
    const messages = canonicalJson(prompt)
    return { hash: sha256(messages), messages }
  })
  for (const row of new Map(rows.map((one) => [one.hash, one])).values()) await insertPrompt(on, row)
  return rows.map(({ hash }) => hash)
}

async function answersTo(on: Db, eventId: string): Promise<readonly BotTurn[]> {
  return (await answering(on, { event: eventId })).map(toBotTurn)
}
