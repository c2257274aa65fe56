import type { FeedbackEvent } from '../../src/ports/bot.ts'
import type { Inbound } from '../../src/ports/channel.ts'
import type { Order, Said } from './protocol.ts'

const people = ['web:anna', 'web:bob', 'web:eve'].map((id) => ({ id, name: id.slice(4) }))
const threads = 6
const inFlight = 8

type Told = Extract<Said, { kind: 'told' }>
type Unsent = Order extends infer O ? (O extends Order ? Omit<O, 'n'> : never) : never

/** What was acknowledged: it must be in the database at the end, once. */
export interface Ledger {
  /** Event ids whose `receive` resolved. */
  readonly events: ReadonlySet<string>
  /** The last verdict by `turn person`. */
  readonly votes: ReadonlyMap<string, string>
  /** The last better text by `turn person`. */
  readonly corrections: ReadonlyMap<string, string>
  /** The last outcome by `duel person`. */
  readonly duels: ReadonlyMap<string, string>
  /** Orders that were refused: there should be none. */
  readonly refused: readonly string[]
  /** Deliveries of an event beyond its first: after a kill between delivering and settling. */
  readonly toldAgain: number
}

/** People who talk to the child, remember what it acknowledged, and say again what it did not. */
export interface People {
  readonly ledger: Ledger
  /** What to say now: at a start everything that was not acknowledged, and some events that were. */
  begin(): readonly Order[]
  /** Takes in what the child said. */
  hear(said: Said): void
  /** Up to two more things to say. */
  goOn(): readonly Order[]
  /** True while something is not acknowledged. */
  readonly waiting: boolean
}

/** @param random numbers from 0 to 1 that decide everything that is said */
export function talkative(random: () => number): People {
  const open = new Map<number, Order>()
  const events = new Map<string, Inbound>()
  const accepted = new Set<string>()
  const told = new Map<string, Told>()
  const kept = {
    vote: new Map<string, string>(),
    correction: new Map<string, string>(),
    duel: new Map<string, string>(),
  }
  const refused: string[] = []
  let toldAgain = 0
  let orders = 0

  const pick = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)]
  const send = (order: Unsent): Order => {
    const numbered = { ...order, n: ++orders } as Order
    open.set(numbered.n, numbered)
    return numbered
  }
  const busy = (key: string) => [...open.values()].some((o) => o.kind === 'feedback' && feedbackKey(o.event) === key)
  const place = () => {
    const n = 1 + Math.floor(random() * threads)
    const person = people[n % people.length] as (typeof people)[number]
    return { channel: 'web', tenant: 'web', thread: `web:k${n}`, person, scopes: [], at: new Date() }
  }
  const opinion = (event: FeedbackEvent): Order | undefined =>
    busy(feedbackKey(event)) ? undefined : send({ kind: 'feedback', event })

  function next(): Order | undefined {
    const dice = random()
    const id = `e${orders + 1}`
    const turn = pick([...told.values()].flatMap(({ turns }) => turns))
    const who = { tenant: 'web', person: pick(people) as (typeof people)[number] }
    if (dice < 0.03) return send({ kind: 'train' })
    if (dice < 0.1) return again(pick([...accepted]))
    if (!turn || dice < 0.45) return receive({ kind: 'message', id, text: `Message ${id}, please`, ...place() })
    if (dice < 0.55) return receive({ kind: 'retry', id, turn, ...place() })
    if (dice < 0.65) return opinion({ kind: 'correction', turn, text: `Better ${id}`, ...who })
    const duel = pick([...told.values()].flatMap((one) => one.duel ?? []))
    if (dice < 0.75 && duel) {
      return opinion({
        kind: 'duel',
        duel,
        outcome: pick(['left', 'right', 'tie', 'both-bad'] as const) ?? 'tie',
        ...who,
      })
    }
    return opinion({ kind: 'vote', turn, verdict: pick(['up', 'down', 'none'] as const) ?? 'up', ...who })
  }
  const receive = (event: Inbound): Order => {
    events.set(event.id, event)
    return send({ kind: 'receive', event })
  }
  /** A platform that delivers an event once more. */
  const again = (id: string | undefined): Order | undefined => {
    const event = events.get(id ?? '')
    return event && send({ kind: 'receive', event })
  }
  const done = (n: number): void => {
    const order = open.get(n)
    open.delete(n)
    if (order?.kind === 'receive') accepted.add(order.event.id)
    if (order?.kind !== 'feedback') return
    const { event } = order
    const said = event.kind === 'vote' ? event.verdict : event.kind === 'duel' ? event.outcome : event.text
    kept[event.kind].set(feedbackKey(event).slice(event.kind.length + 1), said)
  }

  return {
    ledger: {
      events: accepted,
      votes: kept.vote,
      corrections: kept.correction,
      duels: kept.duel,
      refused,
      get toldAgain() {
        return toldAgain
      },
    },
    get waiting() {
      return open.size > 0
    },
    begin() {
      for (const [n, { kind }] of open) if (kind === 'train' || kind === 'drain') open.delete(n)
      const unsure = [...open.values()]
      const twice = [pick([...accepted]), pick([...accepted])].map(again)
      return [...unsure, ...twice].filter((order) => order !== undefined)
    },
    hear(said) {
      if (said.kind === 'told') {
        if (told.has(said.event)) toldAgain += 1
        told.set(said.event, said)
      }
      if (said.kind === 'done') done(said.n)
      if (said.kind === 'failed') {
        const order = open.get(said.n)
        open.delete(said.n)
        if (order?.kind !== 'train') refused.push(`${order?.kind}: ${said.code}`)
      }
    },
    goOn() {
      const more = Array.from({ length: Math.max(0, Math.min(2, inFlight - open.size)) }, next)
      return more.filter((order) => order !== undefined)
    },
  }
}

/** What one opinion replaces: the last one of the same kind, person and thing. */
function feedbackKey(event: FeedbackEvent): string {
  return `${event.kind} ${event.kind === 'duel' ? event.duel : event.turn} ${event.person.id}`
}
