import { createHash } from 'node:crypto'
import { HoneError } from '../../src/errors.ts'
import { guestOf } from '../../src/id.ts'
import type { Calls } from '../../src/ports/calls.ts'
import type { Inbound } from '../../src/ports/channel.ts'
import type { ChatMessage } from '../../src/ports/engine.ts'
import type { Past } from '../../src/ports/past.ts'
import type { ProfileMade, ProfileServed, Profiles } from '../../src/ports/profiles.ts'
import type {
  BotTurn,
  Correction,
  Duel,
  Feedback,
  Inbox,
  Job,
  Jobs,
  Messages,
  Served,
  Serving,
  Store,
  ToolCall,
  Turn,
  Turns,
  Vote,
  Wishes,
} from '../../src/ports/store.ts'
import type { Trials } from '../../src/ports/trials.ts'

/** A store that forgets everything when the test ends. */
export function memoryStore(): Store {
  const duels = new Map<string, Duel>()
  const all = new Map<string, Turn>()
  const ran = new Map<string, ToolCall[]>()
  const turns = memoryTurns(all, ran)
  const feedback = memoryFeedback(duels, turns)
  return {
    turns,
    messages: memoryMessages(turns),
    feedback,
    calls: memoryCalls(ran),
    past: memoryPast(all, feedback),
    inbox: memoryInbox(),
    jobs: memoryJobs(),
    serving: memoryServing(),
    trials: memoryTrials(),
    profiles: memoryProfiles(),
    wishes: memoryWishes(),
    async [Symbol.asyncDispose]() {},
  }
}

function memoryTurns(all: Map<string, Turn>, ran: Map<string, ToolCall[]>): Turns {
  const answered = new Map<string, readonly BotTurn[]>()
  const prompts = new Map<string, readonly ChatMessage[]>()
  const inThread = (thread: string) => [...all.values()].filter((turn) => turn.thread === thread)
  return {
    async appendUser(turn) {
      const known = [...all.values()].find((one) => one.role === 'user' && one.event === turn.event)
      if (known?.role === 'user') return known
      all.set(turn.id, turn)
      return turn
    },
    async appendBot(turns, event, asked) {
      if (asked) all.set(asked.id, asked)
      const kept = turns.map((turn) => {
        const hash = createHash('sha256').update(JSON.stringify(turn.prompt)).digest('hex')
        prompts.set(hash, turn.prompt)
        const reply: BotTurn = { ...turn, prompt: hash }
        all.set(reply.id, reply)
        return reply
      })
      answered.set(event, kept)
      if (turns.some(({ tools }) => tools)) ran.delete(event)
      return kept
    },
    get: async (id) => all.get(id),
    prompt: async (hash) => prompts.get(hash) ?? [],
    async history(thread, limit) {
      const path: Turn[] = []
      let at = inThread(thread).at(-1)
      while (at) {
        path.unshift(at)
        at = at.parent === null ? undefined : all.get(at.parent)
      }
      return path.slice(-limit)
    },
    wroteIn: async (thread, person) => inThread(thread).some((turn) => turn.role === 'user' && turn.person === person),
    answers: async (event) => answered.get(event) ?? [],
    async threads(tenant, person, limit) {
      const first = new Map<string, { thread: string; title: string; at: Date }>()
      for (const turn of all.values()) {
        if (turn.tenant !== tenant || turn.role !== 'user' || turn.person !== person) continue
        first.set(turn.thread, { thread: turn.thread, title: first.get(turn.thread)?.title ?? turn.text, at: turn.at })
      }
      return [...first.values()].reverse().slice(0, limit)
    },
  }
}

function memoryMessages(turns: Turns): Messages {
  const links = new Map<string, string>()
  return {
    async link(turn, messages) {
      for (const message of messages) links.set(`${message.thread} ${message.id}`, turn)
    },
    find: (message) => turns.get(links.get(`${message.thread} ${message.id}`) ?? ''),
  }
}

function memoryFeedback(duels: Map<string, Duel>, turns: Turns): Feedback {
  const votes = new Map<string, Vote>()
  const corrections: Correction[] = []
  return {
    async vote(vote) {
      votes.set(`${vote.turn} ${vote.person}`, vote)
    },
    async correct(correction) {
      corrections.push(correction)
    },
    async duel(duel) {
      duels.set(duel.id, duel)
    },
    async *judged() {},
    async counts(tenant) {
      const days = new Map<string, { day: string; version: string; up: number; down: number }>()
      for (const vote of votes.values()) {
        const from = (await turns.get(vote.turn))?.tenant ?? ''
        if (tenant !== undefined && guestOf(from) !== guestOf(tenant)) continue
        const day = vote.at.toISOString().slice(0, 10)
        const count = days.get(day) ?? { day, version: 'v0', up: 0, down: 0 }
        if (vote.verdict !== 'none') count[vote.verdict] += 1
        days.set(day, count)
      }
      return [...days.values()]
    },
    async countsOf(_, person) {
      const own = [...votes.values()].filter((vote) => vote.person === person)
      const of = (verdict: Vote['verdict']) => own.filter((vote) => vote.verdict === verdict).length
      const better = corrections.filter((one) => one.person === person)
      return { up: of('up'), down: of('down'), corrections: better.length }
    },
    ofTurn: async (turn) => ({
      votes: [...votes.values()].filter((vote) => vote.turn === turn && vote.verdict !== 'none'),
      corrections: corrections.filter((one) => one.turn === turn),
      duels: [...duels.values()].filter((one) => one.left === turn || one.right === turn),
    }),
    forget: async () => 0,
  }
}

function memoryCalls(ran: Map<string, ToolCall[]>): Calls {
  return {
    async keep({ id }, nth, call) {
      const known = ran.get(id) ?? []
      known[nth] ??= call
      ran.set(id, known)
    },
    of: async (event) => (ran.get(event) ?? []).filter(Boolean),
  }
}

function memoryPast(all: Map<string, Turn>, feedback: Feedback): Past {
  const newestFirst = (channels?: readonly string[]) =>
    [...all.values()]
      .filter(({ role, channel }) => role === 'assistant' && (!channels || channels.includes(channel)))
      .sort((a, b) => b.at.getTime() - a.at.getTime() || a.thread.localeCompare(b.thread))
  return {
    tenants: async (channels) => [...new Set(newestFirst(channels).map(({ tenant }) => tenant))],
    async threads({ tenant, channels, since = new Date(0), first, limit }) {
      const replies = newestFirst(channels).filter((turn) => turn.tenant === tenant && turn.at >= since)
      const judged = new Set<string>()
      for (const { id, thread } of replies)
        if (Object.values(await feedback.ofTurn(id)).some((said) => said.length > 0)) judged.add(thread)
      const threads = [...new Set(replies.map(({ thread }) => thread))]
      const before = first === 'voted' ? threads.filter((thread) => judged.has(thread)) : []
      return [...new Set([...before, ...threads])].slice(0, limit)
    },
  }
}

function memoryInbox(): Inbox {
  const claimed = new Map<string, Inbound>()
  return {
    async claim(event) {
      if (claimed.has(event.id)) return false
      claimed.set(event.id, event)
      return true
    },
    async amend() {},
    async settle() {},
    unsettled: async () => [],
  }
}

function memoryJobs(): Jobs {
  const jobs = new Map<string, Job>()
  return {
    async start(job) {
      if ([...jobs.values()].some((one) => one.state === 'running')) throw new HoneError('BUSY', 'A run is under way.')
      jobs.set(job.id, job)
    },
    async update(id, change) {
      const job = jobs.get(id)
      if (job) jobs.set(id, { ...job, ...change })
    },
    get: async (id) => jobs.get(id),
    list: async (limit) => [...jobs.values()].reverse().slice(0, limit),
  }
}

function memoryServing(): Serving {
  const log: Served[] = []
  const of = (tenant: string) => log.filter((one) => one.tenant === tenant)
  return {
    current: async (tenant = '') => of(tenant)[0]?.version ?? (tenant === '' ? 'v0' : ''),
    async set(version, by, why, tenant = '') {
      log.unshift({ version, by, why, at: new Date(), tenant })
    },
    log: async (limit, tenant) => (tenant === undefined ? log : of(tenant)).slice(0, limit),
    tenants: async () => [...new Set(log.map(({ tenant }) => tenant))].filter(Boolean).sort(),
  }
}

function memoryWishes(): Wishes {
  const quiet = new Set<string>()
  return {
    receipts: async (person) => !quiet.has(person),
    async setReceipts(person, wanted) {
      if (wanted) quiet.delete(person)
      else quiet.add(person)
    },
  }
}

/** As little as `judged`: a comparison of versions needs the real store. */
function memoryTrials(): Trials {
  return { repliedIn: async () => false, said: async () => ({ thumbs: [], duels: [] }) }
}

function memoryProfiles(): Profiles {
  const kept = new Map<string, { name: string; content: string; at: Date; made?: ProfileMade }>()
  const served: ProfileServed[] = []
  return {
    async put(name, version, content, made) {
      if (!kept.has(version)) kept.set(version, { name, content, at: new Date(), ...(made && { made }) })
    },
    get: async (version) => kept.get(version),
    list: async () => [...kept].map(([version, { content: _, ...one }]) => ({ version, ...one })).reverse(),
    forgotten: async () => [],
    async serve(entry) {
      served.unshift({ ...entry, at: new Date() })
    },
    log: async (name) => served.filter((entry) => entry.name === name),
  }
}
