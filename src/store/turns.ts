import { HoneError } from '../errors.ts'
import type { MessageRef, TurnId } from '../ports/channel.ts'
import type { ChatMessage } from '../ports/engine.ts'
import type { BotTurn, NewBotTurn, Turns, UserTurn } from '../ports/store.ts'
import { canonicalJson, sha256 } from './hash.ts'
import { fromBotTurn, fromUserTurn, toBotTurn, toTurn, toUserTurn } from './rows.ts'
import type { Db, Session } from './schema.ts'
import { branch, threads } from './threads.ts'

/** The tree of turns. */
export function turns(session: Session): Turns {
  const { db, write, writeAll } = session
  return {
    appendUser: (turn) => writeAll((on) => appendUser(on, session, turn)),
    appendBot: (replies, eventId) => writeAll((on) => appendBot(on, replies, eventId)),
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
    link: (turn, messages) => write((on) => link(on, turn, messages)),
    async find({ thread, id }) {
      const row = await db
        .selectFrom('message')
        .innerJoin('turn', 'turn.id', 'message.turn')
        .selectAll('turn')
        .where('message.thread', '=', thread)
        .where('message.message', '=', id)
        .executeTakeFirst()
      return row && toTurn(row)
    },
    threads: (tenant, person, limit) => threads(db, { tenant, person, limit }),
  }
}

async function appendUser(on: Db, { flavour }: Session, turn: UserTurn): Promise<UserTurn> {
  const claimed = on.selectFrom('inbox').select('outcome').where('id', '=', sha256(turn.event))
  // The row lock makes `forget` wait for us or us for it; SQLite's writers are alone anyway.
  const event = await claimed.$if(flavour.name === 'postgres', (query) => query.forShare()).executeTakeFirst()
  if (event?.outcome === 'forgotten') throw forgotten()
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
  const id = sha256(eventId)
  const settled = await on
    .updateTable('inbox')
    .set({ outcome: 'answered', event: null })
    .where('id', '=', id)
    .where((row) => row.or([row('outcome', 'is', null), row('outcome', 'in', ['ignored', 'given-up'])]))
    .executeTakeFirst()
  if (settled.numUpdatedRows === 0n) {
    const event = await on.selectFrom('inbox').select('outcome').where('id', '=', id).executeTakeFirst()
    // Answered before, by this process or another: the first answer stands.
    if (event?.outcome === 'answered') return answersTo(on, eventId, replies)
    if (event?.outcome === 'forgotten') throw forgotten()
  }
  if (replies.length === 0) return []
  const hashes = await keepPrompts(on, replies)
  const rows = replies.map((reply, i) => fromBotTurn(reply, hashes[i] as string, eventId))
  const appended = await on.insertInto('turn').values(rows).returningAll().execute()
  const byId = new Map(appended.map((row) => [row.id, toBotTurn(row)]))
  return rows.map((row) => byId.get(row.id) as BotTurn)
}

async function link(on: Db, turn: TurnId, messages: readonly MessageRef[]): Promise<void> {
  if (messages.length === 0) return
  // One row a message: an upsert may not meet the same row twice.
  const rows = new Map(messages.map(({ thread, id }) => [`${thread}\n${id}`, { thread, message: id, turn }]))
  await on
    .insertInto('message')
    .values([...rows.values()])
    // A retry may edit the message in place: it then carries the new turn.
    .onConflict((conflict) => conflict.columns(['thread', 'message']).doUpdateSet({ turn }))
    .execute()
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

async function answersTo(on: Db, eventId: string, replies: readonly NewBotTurn[]): Promise<readonly BotTurn[]> {
  const [reply] = replies
  if (!reply) return []
  const rows = await on
    .selectFrom('turn')
    .selectAll()
    .where('answers', '=', eventId)
    .where('thread', '=', reply.thread)
    .orderBy('seq')
    .execute()
  return rows.map(toBotTurn)
}

function forgotten(): HoneError {
  return new HoneError('NOT_FOUND', 'The message was deleted with everything of the person who wrote it.')
}
