import { DatabaseSync } from 'node:sqlite'
import type { Ledger } from './people.ts'

/** What is wrong in the database, in words; nothing is the goal. */
export interface Audit {
  /** Acknowledged, and not there. */
  readonly lost: readonly string[]
  /** There more than once, or never said. */
  readonly doubled: readonly string[]
  /** Still open, half made or damaged. */
  readonly broken: readonly string[]
}

/** Compares what was acknowledged with what is in the database. */
export function audit(path: string, ledger: Ledger): Audit {
  const database = new DatabaseSync(path, { readOnly: true })
  const rows = (query: string) => database.prepare(query).all() as Record<string, string | number>[]
  try {
    const votes = compare(
      'vote',
      ledger.votes,
      rows(`select turn || ' ' || person as key, verdict as said from vote where turn in ${ours}`),
    )
    const outcomes = rows("select id || ' ' || person as key, outcome as said from duel")
    const duels = compare('duel', ledger.duels, outcomes)
    const texts = rows(
      "select turn || ' ' || person as key, text as said, count(*) as times from correction group by 1, 2",
    )
    const newest = rows("select turn || ' ' || person as key, text as said, max(seq) from correction group by 1")
    const corrections = compare('correction', ledger.corrections, newest)
    const replies = answered(
      ledger.events,
      rows(
        `select answers as event, count(*) as n, count(distinct duel) as duels, count(duel) as sides from turn where answers like 'e%' and answers not like 'event-%' group by 1`,
      ),
    )
    const open = rows('select count(*) as n from inbox where outcome is null')[0]?.n
    const jobs = rows("select id from job where state = 'running'").map(({ id }) => `job ${id} still runs`)
    const integrity = String(rows('pragma integrity_check')[0]?.integrity_check)
    return {
      lost: [...votes.lost, ...duels.lost, ...corrections.lost, ...replies.lost],
      doubled: [
        ...votes.more,
        ...duels.more,
        ...corrections.more,
        ...replies.doubled,
        ...texts.filter(({ times }) => Number(times) > 1).map(({ key }) => `correction ${key} twice`),
      ],
      broken: [...(open === 0 ? [] : [`${open} events are open`]), ...jobs, ...(integrity === 'ok' ? [] : [integrity])],
    }
  } finally {
    database.close()
  }
}

/** The turns of the conversation, not those that the training run is fed with. */
const ours = "(select id from turn where answers like 'e%' and answers not like 'event-%')"

/** A withdrawn vote has no row. */
function compare(
  what: string,
  said: ReadonlyMap<string, string>,
  rows: readonly Record<string, string | number>[],
): { readonly lost: readonly string[]; readonly more: readonly string[] } {
  const found = new Map(rows.map((row) => [String(row.key), String(row.said)]))
  const standing = [...said].filter(([, value]) => !(what === 'vote' && value === 'none'))
  const lost = standing.filter(([key, value]) => found.get(key) !== value)
  const more = [...found.keys()].filter((key) => !standing.some(([known]) => known === key))
  return { lost: lost.map(([key]) => `${what} ${key}`), more: more.map((key) => `${what} ${key} never stood`) }
}

/** One reply an event, or the two sides of one duel. */
function answered(
  events: ReadonlySet<string>,
  rows: readonly Record<string, string | number>[],
): { readonly lost: readonly string[]; readonly doubled: readonly string[] } {
  const replies = new Map(rows.map((row) => [String(row.event), row]))
  const once = (row: Record<string, string | number>) =>
    row.n === 1 || (row.n === 2 && row.sides === 2 && row.duels === 1)
  return {
    lost: [...events].filter((id) => !replies.has(id)).map((id) => `event ${id}`),
    doubled: [...replies].filter(([, row]) => !once(row)).map(([id]) => `event ${id}`),
  }
}
