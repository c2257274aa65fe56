import type { ChatMessage } from '../ports/engine.ts'
import type { Judged } from '../ports/store.ts'
import { toBotTurn, toCorrection, toDuel, toVote } from './rows.ts'
import type { Db } from './schema.ts'

const PAGE = 100

/**
 * Judged prompts, oldest first, in pages: memory does not grow with the store. A family (one prompt under one
 * parent) is met at its first reply.
 */
export async function* judged(db: Db, tenant?: string): AsyncIterable<Judged> {
  let after = 0
  for (;;) {
    const heads = await firstReplies(db, after, tenant)
    yield* await families(db, heads)
    const last = heads.at(-1)
    if (!last) return
    after = last.seq
  }
}

function firstReplies(db: Db, after: number, tenant?: string) {
  return db
    .selectFrom('turn as head')
    .innerJoin('prompt', 'prompt.hash', 'head.prompt')
    .select(['head.seq', 'head.family', 'head.tenant', 'head.channel', 'head.thread', 'prompt.hash', 'prompt.messages'])
    .where('head.seq', '>', after)
    .$if(tenant !== undefined, (query) => query.where('head.tenant', '=', tenant as string))
    .where(({ not, exists, selectFrom }) => {
      const earlier = selectFrom('turn').select('turn.id').whereRef('turn.family', '=', 'head.family')
      return not(exists(earlier.whereRef('turn.seq', '<', 'head.seq')))
    })
    .where(({ or, exists, selectFrom }) => {
      const replies = selectFrom('turn').select('turn.id').whereRef('turn.family', '=', 'head.family')
      const votes = selectFrom('vote').select('vote.turn').where('vote.turn', 'in', replies)
      const corrections = selectFrom('correction').select('correction.id').where('correction.turn', 'in', replies)
      const duels = selectFrom('duel').select('duel.id').where('duel.left_turn', 'in', replies)
      return or([exists(votes), exists(corrections), exists(duels.where('duel.right_turn', 'in', replies))])
    })
    .orderBy('head.seq')
    .limit(PAGE)
    .execute()
}

async function families(db: Db, heads: Awaited<ReturnType<typeof firstReplies>>): Promise<readonly Judged[]> {
  if (heads.length === 0) return []
  const names = heads.map((head) => head.family)
  const ids = db.selectFrom('turn').select('id').where('family', 'in', names)
  const rows = await db.selectFrom('turn').selectAll().where('family', 'in', names).orderBy('seq').execute()
  const votes = await db
    .selectFrom('vote')
    .selectAll()
    .where('turn', 'in', ids)
    .orderBy('at')
    .orderBy('person')
    .execute()
  const better = await db.selectFrom('correction').selectAll().where('turn', 'in', ids).orderBy('seq').execute()
  const duels = await db
    .selectFrom('duel')
    .selectAll()
    .where('left_turn', 'in', ids)
    .orderBy('at')
    .orderBy('person')
    .execute()
  const replies = Map.groupBy(rows, (row) => row.family)
  const votesOf = Map.groupBy(votes.map(toVote), (vote) => vote.turn)
  const correctionsOf = Map.groupBy(better.map(toCorrection), (correction) => correction.turn)
  return heads.map((head) => {
    const family = replies.get(head.family) ?? []
    const within = new Set(family.map((row) => row.id))
    return {
      tenant: head.tenant,
      channel: head.channel,
      thread: head.thread,
      promptHash: head.hash,
      prompt: JSON.parse(head.messages) as readonly ChatMessage[],
      replies: family.map((row) => ({
        turn: toBotTurn(row),
        votes: votesOf.get(row.id) ?? [],
        corrections: correctionsOf.get(row.id) ?? [],
      })),
      duels: duels.map(toDuel).filter((duel) => within.has(duel.left) && within.has(duel.right)),
    }
  })
}
