import { HoneError } from '../errors.ts'
import type { ChatMessage } from '../ports/engine.ts'
import type { BotTurn, NewBotTurn, Turns, UserTurn } from '../ports/store.ts'
import { canonicalJson, sha256 } from './hash.ts'
import { fromBotTurn, fromUserTurn, toBotTurn, toTurn, toUserTurn } from './rows.ts'
import type { Db, Session } from './schema.ts'
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
    history: (thread, limit) => branch(db, thread, limit),
    threads: (tenant, person, limit) => threads(db, { tenant, person, limit }),
  }
}

async function appendUser(on: Db, turn: UserTurn): Promise<UserTurn> {
  const row = await on
    .insertInto('turn')
    .values(fromUserTurn(turn))
    .onConflict((conflict) => conflict.column('event').doNothing())
    .returningAll()
    .executeTakeFirst()
  if (row) return toUserTurn(row)
  const first = on.selectFrom('turn').selectAll().where('event', '=', turn.event)
  return toUserTurn(await first.executeTakeFirstOrThrow())
}

async function appendBot(on: Db, replies: readonly NewBotTurn[], eventId: string): Promise<readonly BotTurn[]> {
  const hashes = await keepPrompts(on, replies)
  const rows = replies.map((reply, i) => fromBotTurn(reply, hashes[i] as string, eventId))
  const appended = await on.insertInto('turn').values(rows).returningAll().execute()
  const byId = new Map(appended.map((row) => [row.id, toBotTurn(row)]))
  return rows.map((row) => byId.get(row.id) as BotTurn)
}

/** Nothing more is kept of an event whose author was forgotten while it was being answered. */
async function refuseForgotten(on: Db, { flavour }: Session, eventId: string): Promise<void> {
  const claimed = on.selectFrom('inbox').select('outcome').where('id', '=', sha256(eventId))
  // The row lock lets writers of one event, and `forget`, wait for each other; SQLite's writers are alone anyway.
  const event = await claimed.$if(flavour.name === 'postgres', (query) => query.forUpdate()).executeTakeFirst()
  if (event?.outcome === 'forgotten') {
    throw new HoneError('NOT_FOUND', 'The message was deleted with everything of the person who wrote it.')
  }
}

/** Keeps each prompt once and answers the hash of each reply's. */
async function keepPrompts(on: Db, replies: readonly NewBotTurn[]): Promise<readonly string[]> {
  const prompts = replies.map(({ prompt }) => canonicalJson(prompt))
  const hashes = prompts.map(sha256)
  const rows = new Map(prompts.map((messages, i) => [messages, { hash: hashes[i] as string, messages }]))
  const kept = on.insertInto('prompt').values([...rows.values()])
  await kept.onConflict((conflict) => conflict.column('hash').doNothing()).execute()
  return hashes
}

async function answersTo(on: Db, eventId: string): Promise<readonly BotTurn[]> {
  const rows = await on.selectFrom('turn').selectAll().where('answers', '=', eventId).orderBy('seq').execute()
  return rows.map(toBotTurn)
}
