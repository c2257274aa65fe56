import { createHash } from 'node:crypto'
import { HoneError } from '../../src/errors.ts'
import type { Inbound } from '../../src/ports/channel.ts'
import type { ChatMessage } from '../../src/ports/engine.ts'
import type {
  BotTurn,
  Correction,
  Duel,
  Feedback,
  Inbox,
  Job,
  Jobs,
  Messages,
  Profiles,
  Serving,
  Store,
  Turn,
  Turns,
  Vote,
} from '../../src/ports/store.ts'

/** A store that forgets everything when the test ends. */
export function memoryStore(): Store {
  const duels = new Map<string, Duel>()
  const turns = memoryTurns()
  return {
    turns,
    messages: memoryMessages(turns),
    feedback: memoryFeedback(duels),
    inbox: memoryInbox(),
    jobs: memoryJobs(),
    serving: memoryServing(),
    profiles: memoryProfiles(),
    async [Symbol.asyncDispose]() {},
  }
}

function memoryTurns(): Turns {
  const all = new Map<string, Turn>()
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

function memoryFeedback(duels: Map<string, Duel>): Feedback {
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
    async counts() {
      const days = new Map<string, { day: string; version: string; up: number; down: number }>()
      for (const vote of votes.values()) {
        const day = vote.at.toISOString().slice(0, 10)
        const count = days.get(day) ?? { day, version: 'v0', up: 0, down: 0 }
        if (vote.verdict !== 'none') count[vote.verdict] += 1
        days.set(day, count)
      }
      return [...days.values()]
    },
    ofTurn: async (turn) => ({
      votes: [...votes.values()].filter((vote) => vote.turn === turn && vote.verdict !== 'none'),
      corrections: corrections.filter((one) => one.turn === turn),
      duels: [...duels.values()].filter((one) => one.left === turn || one.right === turn),
    }),
    forget: async () => 0,
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
  const log: { version: string; by: string; why: string; at: Date }[] = []
  return {
    current: async () => log[0]?.version ?? 'v0',
    async set(version, by, why) {
      log.unshift({ version, by, why, at: new Date() })
    },
    log: async (limit) => log.slice(0, limit),
  }
}

function memoryProfiles(): Profiles {
  const kept = new Map<string, { name: string; content: string; at: Date }>()
  return {
    async put(name, version, content) {
      kept.set(version, { name, content, at: new Date() })
    },
    get: async (version) => kept.get(version),
    list: async () => [...kept].map(([version, { name, at }]) => ({ name, version, at })),
  }
}
