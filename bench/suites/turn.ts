import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { Agent, createServer, request, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BotOptions, createBot } from '../../src/bot.ts'
import { echo } from '../../src/engines/echo.ts'
import { newId } from '../../src/id.ts'
import { silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Examples } from '../../src/ports/examples.ts'
import type { Passage } from '../../src/ports/knowledge.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { createSlot } from '../../src/slot.ts'
import { sqlite } from '../../src/store/index.ts'
import { openDurable } from '../durable.ts'
import { atLeast, figure, median, type Result } from '../result.ts'

const rounds = 9
const turnsARound = 300
const memoryDisk = '/dev/shm'
const connections = 16

const profile = parseProfile(
  '---\nname: bench\npassages: 3\n---\nYou are Hazel, the assistant of Alder & Finch.',
  'bench.md',
)

/** Values from a host: one that stays, one that changes each turn, a name, a tone for one of two people; and an example. */
const withVariables = parseProfile(
  [
    '---',
    'name: bench',
    'rules: [Be brief.]',
    'examples: [{ question: Which plan do I have?, answer: "You have {{plan}}." }]',
    'tone: { default: Be friendly., people: { "bench:b": Be formal. } }',
    'variables:',
    '  plan: { choices: [free, team], default: free }',
    '  balance: { type: number, default: 0 }',
    '  company: { default: none }',
    '---',
    'You are Hazel and serve {{company}}, plan {{plan}}, balance {{balance}}. You speak with {{person.name}}.',
  ].join('\n'),
  'variables.md',
)

/** One HTTP server with two ways to answer the same message: a bare handler, and the whole core around it. */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  say(`${rounds} rounds of ${turnsARound} turns, bare and through the core in turn`)
  const onDisk = await inFolder(tmpdir(), async (dir) => {
    const { ratios, same, rates, toDurable } = await overhead(dir)
    const noise = 'the same handler against itself: how much of the figure is noise'
    return [
      atLeast('turn.core-to-bare', median(ratios), 0.8, 'ratio', ratios),
      figure('turn.bare-to-bare', median(same), 'ratio', noise),
      figure('turn.core-to-durable', median(toDurable), 'ratio', 'against two plain SQLite statements a turn'),
      figure(
        'turn.durable-to-bare',
        median(ratios) / median(toDurable),
        'ratio',
        'what keeping a turn costs by itself',
      ),
      figure('turn.rate', median(rates), 'turns/s'),
      figure('turn.disk-wait', await diskWait(dir), 'ms', 'one fdatasync of 4 KiB; three commits a turn, shared'),
      await promptTokens(dir, 'turn.necessary-to-evaluated', { profile }),
      await promptTokens(dir, 'turn.necessary-to-evaluated-with-variables', { profile: withVariables, variables }),
      await promptTokens(dir, 'turn.necessary-to-evaluated-with-examples', {
        profile: withVariables,
        variables,
        examples: judgedExamples,
      }),
    ]
  })
  if (!existsSync(memoryDisk)) return onDisk
  say('the same with the database in memory, to tell the wait for the disk from the work')
  const inMemory = await inFolder(memoryDisk, overhead)
  return [...onDisk, figure('turn.core-to-bare-in-memory', median(inMemory.ratios), 'ratio', inMemory.ratios)]
}

async function inFolder<T>(root: string, work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(root, 'hone-turn-'))
  try {
    return await work(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Milliseconds that a small write takes to be on this folder's disk. */
async function diskWait(dir: string): Promise<number> {
  await using file = await open(join(dir, 'wait'), 'w')
  const waits: number[] = []
  for (let n = 0; n < 50; n++) {
    await file.write(Buffer.alloc(4096))
    const started = performance.now()
    await file.datasync()
    waits.push(performance.now() - started)
  }
  return median(waits)
}

interface Rates {
  /** Core to bare, a round each. */
  readonly ratios: readonly number[]
  /** Bare to bare. */
  readonly same: readonly number[]
  /** Core to the least durable handler, a round each. */
  readonly toDurable: readonly number[]
  /** Turns a second through the core. */
  readonly rates: readonly number[]
}

async function overhead(dir: string): Promise<Rates> {
  await using store = await sqlite(join(dir, 'turn.db'))
  await using slot = await createSlot({
    load: async (version) => echo({ version }),
    first: { id: 'v0', base: 'echo' },
    log: silent,
  })
  await using bot = await createBot({ store, slot, profile: { ...profile, passages: 0 }, log: silent })
  const core = throughCore(bot)
  const engine = echo()
  const bare = async (text: string): Promise<string> => {
    let said = ''
    for await (const delta of engine.generate([{ role: 'user', content: text }]))
      if (delta.kind === 'text') said += delta.text
    return said
  }
  using kept = openDurable(join(dir, 'least.db'))
  const durable = (text: string) => kept.answer(newId('e'), text, bare)
  const server = await serve({ '/bare': bare, '/core': core, '/durable': durable })
  const ratios: number[] = []
  const toDurable: number[] = []
  const same: number[] = []
  const rates: number[] = []
  await drive(server, '/core')
  await drive(server, '/bare')
  await drive(server, '/durable')
  for (let round = 0; round < rounds; round++) {
    const [a, b, c, d] = [
      await drive(server, '/bare'),
      await drive(server, '/core'),
      await drive(server, '/core'),
      await drive(server, '/bare'),
    ]
    ratios.push((b + c) / (a + d))
    same.push(a / d)
    rates.push((b + c) / 2)
    toDurable.push((b + c) / 2 / (await drive(server, '/durable')))
  }
  server.close()
  server.closeAllConnections()
  return { ratios, same, rates, toDurable }
}

/** Sends a message into the core and resolves with the reply, as a channel would. */
function throughCore(bot: Bot): (text: string) => Promise<string> {
  const waiting = new Map<string, (text: string) => void>()
  bot.attach({
    name: 'bench',
    async deliver(event, events) {
      let text = ''
      for await (const one of events) if (one.kind === 'done') text = one.reply.text
      waiting.get(event.id)?.(text)
      waiting.delete(event.id)
      return [{ thread: event.thread, id: event.id }]
    },
  })
  return async function send(text) {
    const id = newId('e')
    const told = new Promise<string>((resolve) => waiting.set(id, resolve))
    await bot.receive({
      kind: 'message',
      id,
      channel: 'bench',
      tenant: 'bench',
      thread: `bench:${id}`,
      text,
      at: new Date(),
      person: { id: 'bench:p', name: 'P' },
      scopes: [],
    })
    return told
  }
}

async function serve(routes: Readonly<Record<string, (text: string) => Promise<string>>>): Promise<Server> {
  const server = createServer(async (incoming, outgoing) => {
    let body = ''
    for await (const chunk of incoming) body += chunk
    const { text } = JSON.parse(body) as { text: string }
    const reply = await routes[incoming.url ?? '']?.(text)
    outgoing.setHeader('content-type', 'application/json').end(JSON.stringify({ reply }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** Turns a second over some kept-alive connections. */
async function drive(server: Server, path: string): Promise<number> {
  const { port } = server.address() as { port: number }
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const body = JSON.stringify({ text: 'How many days of vacation do I get when I have worked here for five years?' })
  const send = () =>
    new Promise<void>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, method: 'POST', agent }, (answer) =>
        answer.resume().on('end', resolve),
      )
      sent.on('error', reject).end(body)
    })
  const started = performance.now()
  let left = turnsARound
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (left-- > 0) await send()
    }),
  )
  agent.destroy()
  return turnsARound / ((performance.now() - started) / 1000)
}

let asked = 0
/** Two judged questions for each message, one of them new. */
const judgedExamples: Examples = {
  async near() {
    asked += 1
    return [asked, asked + 1].map((n) => ({
      ...{ id: `c${n}`, turn: `b${n}`, people: ['bench:a'] },
      ...{ question: `What was asked before, number ${n}?`, answer: `Answer number ${n}, as it was corrected.` },
    }))
  },
  judged() {},
  clear() {},
}

let balance = 0
const variables = { plan: () => 'team', company: () => 'Alder & Finch', balance: () => ++balance }

/** Ten turns of one thread; 40 % of the passages come again. What must be evaluated against what is. */
async function promptTokens(
  dir: string,
  name: string,
  shaped: Pick<BotOptions, 'profile' | 'variables' | 'examples'>,
): Promise<Result> {
  await using store = await sqlite(join(dir, `${name}.db`))
  await using slot = await createSlot({
    load: async (version) => echo({ version, contextTokens: 100_000 }),
    first: { id: 'v0', base: 'echo' },
    log: silent,
  })
  let turn = 0
  const search = async (): Promise<readonly Passage[]> => {
    turn += 1
    return [turn, turn + 1, turn % 3].map((n) => ({
      id: `p${n}`,
      document: `d${n}`,
      title: `Title ${n}`,
      text: `Passage number ${n} says something of its own.`,
      score: 1,
    }))
  }
  const knowledge = { search, add: never, remove: never, documents: never, async [Symbol.asyncDispose]() {} }
  await using bot = await createBot({ ...shaped, store, slot, knowledge, log: silent })
  const thread = 'bench:dialogue'
  let length = 0
  let necessary = 0
  let evaluated = 0
  for (let n = 0; n < 10; n++) {
    const person = n % 2 ? { id: 'bench:a', name: 'Anna' } : { id: 'bench:b', name: 'Bob' }
    for await (const event of bot.ask(`Question ${n} about something else`, { thread, person }))
      if (event.kind === 'error') throw new Error(event.message)
    const last = (await store.turns.history(thread, 100)).at(-1)
    if (last?.role !== 'assistant') throw new Error('There is no reply.')
    evaluated += last.usage.evaluated
    // What the prompt grew by; the reply in between was evaluated when it was written.
    necessary += last.usage.prompt - length
    length = last.usage.prompt
  }
  return atLeast(name, necessary / evaluated, 0.95, 'ratio', { necessary, evaluated })
}

async function never(): Promise<never> {
  throw new Error('The bench only searches.')
}
