import { withoutExplanations } from '../explanation.ts'
import type { ChatMessage } from '../ports/engine.ts'
import type { BotTurn, Judged, JudgedOnly } from '../ports/store.ts'
import { toBotTurn, toCorrection, toDuel, toVote } from './rows.ts'
import type { Db } from './schema.ts'
import { withoutExamples } from './told.ts'

const PAGE = 100

/**
 * Judged prompts, oldest first, in pages: memory does not grow with the store. A family (one prompt under one
 * parent) is met at its first reply.
 */
export async function* judged(db: Db, only: JudgedOnly = {}): AsyncIterable<Judged> {
  const { newest } = only
  if (newest !== undefined) {
    const heads = await firstReplies(db, only).orderBy('head.seq', 'desc').limit(newest).execute()
    return yield* await families(db, heads.toReversed())
  }
  let after = 0
  for (;;) {
    const page = firstReplies(db, only).where('head.seq', '>', after)
    const heads = await page.orderBy('head.seq').limit(PAGE).execute()
    yield* await families(db, heads)
    const last = heads.at(-1)
    if (!last) return
    after = last.seq
  }
}

function firstReplies(db: Db, { tenant, turn }: JudgedOnly) {
  return db
    .selectFrom('turn as head')
    .innerJoin('prompt', 'prompt.hash', 'head.prompt')
    .select(['head.seq', 'head.family', 'head.tenant', 'head.channel', 'head.thread', 'prompt.hash', 'prompt.messages'])
    .$if(tenant !== undefined, (query) => query.where('head.tenant', '=', tenant as string))
    .$if(turn !== undefined, (query) =>
      query.where('head.family', '=', ({ selectFrom }) =>
        selectFrom('turn')
          .select('turn.family')
          .where('turn.id', '=', turn as string),
      ),
    )
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
}

async function families(
  db: Db,
  heads: Awaited<ReturnType<ReturnType<typeof firstReplies>['execute']>>,
): Promise<readonly Judged[]> {
  if (heads.length === 0) return []
  const names = heads.flatMap((head) => head.family ?? [])
  const rows = await db.selectFrom('turn').selectAll().where('family', 'in', names).orderBy('seq').execute()
  const { votes, corrections, duels } = await said(db, names)
  const repliesOf = Map.groupBy(rows, (row) => row.family)
  const votesOf = Map.groupBy(votes, (vote) => vote.turn)
  const correctionsOf = Map.groupBy(corrections, (correction) => correction.turn)
  const groups = heads.map(({ tenant, channel, thread, hash, messages, family }) => {
    // What Hone asks before it uses a tool is nothing that a model said.
    const asks = ({ tools }: BotTurn) => tools?.some(({ state }) => state === 'waiting')
    const turns = (repliesOf.get(family) ?? []).map(toBotTurn).filter((turn) => !asks(turn))
    const within = new Set(turns.map((turn) => turn.id))
    const examples = turns[0]?.examples ?? []
    const told = withoutExamples({ prompt: JSON.parse(messages) as readonly ChatMessage[], examples }, examples)
    return {
      ...{ tenant, channel, thread, promptHash: hash },
      prompt: withoutExplanations(told.prompt),
      ...(turns.some(({ explanation }) => explanation) ? { explaining: told.prompt } : {}),
      replies: turns.map((turn) => ({
        turn,
        votes: votesOf.get(turn.id) ?? [],
        corrections: correctionsOf.get(turn.id) ?? [],
      })),
      duels: duels.filter((duel) => within.has(duel.left) && within.has(duel.right)),
    }
  })
  return groups.filter(({ replies }) => replies.length > 0)
}

/** What people said of the replies of these families. */
async function said(db: Db, names: readonly string[]) {
  const ids = db.selectFrom('turn').select('id').where('family', 'in', names)
  const votes = db.selectFrom('vote').selectAll().where('turn', 'in', ids).orderBy('at').orderBy('person')
  const corrections = db.selectFrom('correction').selectAll().where('turn', 'in', ids).orderBy('seq')
  const duels = db.selectFrom('duel').selectAll().where('left_turn', 'in', ids).orderBy('at').orderBy('person')
  return {
    votes: (await votes.execute()).map(toVote),
    corrections: (await corrections.execute()).map(toCorrection),
    duels: (await duels.execute()).map(toDuel),
  }
}
