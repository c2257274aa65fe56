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
  const appended: BotTurn[] = []
  for (const reply of replies) {
    const prompt = await keepPrompt(on, reply.prompt)
    const row = on
      .insertInto('turn')
      .values(fromBotTurn(reply, prompt, eventId))
      .returningAll()
    appended.push(toBotTurn(await row.executeTakeFirstOrThrow()))
  }
  return appended
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

async function keepPrompt(on: Db, messages: readonly ChatMessage[]): Promise<string> {
  const json = canonicalJson(messages)
  const hash = sha256(json)
  const kept = on.insertInto('prompt').values({ hash, messages: json })
  await kept.onConflict((conflict) => conflict.column('hash').doNothing()).execute()
  return hash
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
