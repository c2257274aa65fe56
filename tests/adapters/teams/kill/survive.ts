import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Chat, isComplete, openChat } from '../../../fakes/teams/chat.ts'
import { type Connector, openConnector } from '../../../fakes/teams/connector.ts'
import { times } from './times.ts'

/** Questions of one life, and how long it lasts after the first of them. */
const perLife = 8
const lifeMs = 800
const patienceMs = 10_000
const attempts = 4
const personal = 4
const groups = 2

/** What became of the messages. */
export interface Survived {
  readonly sent: number
  readonly acknowledged: number
  /** Acknowledged and never answered whole. */
  readonly lost: readonly string[]
  /** Answered whole more than once in a personal chat. */
  readonly doubled: readonly string[]
  /** The same in a group. */
  readonly doubledInGroups: readonly string[]
  /** Streams that a crash left half, and lines that became no reply, with the whole reply in another message. */
  readonly half: number
}

/** Messages to a bot that is killed so many times, at moments of chance, each sent again until it is acknowledged. */
export async function surviveOnTeams(kills: number, sdk: 'agents' | 'botbuilder' = 'agents'): Promise<Survived> {
  const dir = await mkdtemp(join(tmpdir(), 'hone-teams-kill-'))
  await using connector = await openConnector({ now: () => performance.now() * times })
  let life = start(dir, connector, sdk)
  /** Posts to the process that lives, or to the next one as soon as it does. */
  const host = { fetch: async (request: Request) => fetch((await life).url, await posted(request)) }
  const chats = chatsOn((options) => openChat(host, connector, options))
  const acknowledged: string[] = []
  let alive = Promise.withResolvers<void>()
  const ask = async (n: number): Promise<void> => {
    const text = `Question ${n}.`
    for (let attempt = 0; attempt < attempts; attempt++) {
      const answer = await chats[n % chats.length]?.say(text, `q${n}`).catch(() => undefined)
      if (!answer?.ok) continue
      alive.resolve()
      return void acknowledged.push(text)
    }
  }
  const asked: Promise<void>[] = []
  for (let kill = 0; kill < kills; kill++) {
    await life
    alive = Promise.withResolvers()
    for (let n = 0; n < perLife; n++) asked.push(sleep((n * lifeMs) / perLife).then(() => ask(kill * perLife + n)))
    // However slow the machine is, a life is long enough to say something.
    await Promise.race([alive.promise, sleep(patienceMs)])
    await sleep(Math.random() * lifeMs)
    const dying = await life
    life = end(dying.child, () => dying.child.kill('SIGKILL')).then(() => start(dir, connector, sdk))
  }
  await Promise.all(asked)
  const { child } = await life
  await end(child, () => child.stdin?.end())
  await rm(dir, { recursive: true, force: true })
  return { sent: asked.length, ...judge(chats, acknowledged) }
}

interface Life {
  readonly child: ChildProcess
  readonly url: string
}

async function start(dir: string, { url, issuer }: Connector, sdk: string): Promise<Life> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), dir, url, issuer.name, sdk], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [port] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string]
  return { child, url: `http://127.0.0.1:${port}/api/messages` }
}

async function end(child: ChildProcess, how: () => unknown): Promise<void> {
  const closed = once(child, 'close')
  how()
  await closed
}

async function posted(request: Request): Promise<RequestInit> {
  return { method: 'POST', headers: request.headers, body: await request.text() }
}

/** Personal chats, where replies stream, and group chats, where they are one message. */
function chatsOn(open: (options: Parameters<typeof openChat>[2]) => Chat): readonly Chat[] {
  const chat = (_: unknown, n: number) => open({ conversation: `a:${n}` })
  const group = (_: unknown, n: number) => open({ conversation: `19:${n}@thread.v2`, kind: 'groupChat' })
  return [...Array.from({ length: personal }, chat), ...Array.from({ length: groups }, group)]
}

function judge(chats: readonly Chat[], acknowledged: readonly string[]): Omit<Survived, 'sent'> {
  const answersIn = (some: readonly Chat[], question: string) =>
    some.flatMap((chat) => chat.shown()).filter((one) => isComplete(one) && one.activity.text?.includes(question))
      .length
  const more = (some: readonly Chat[]) => acknowledged.filter((question) => answersIn(some, question) > 1)
  return {
    acknowledged: acknowledged.length,
    lost: acknowledged.filter((question) => answersIn(chats, question) === 0),
    doubled: more(chats.slice(0, personal)),
    doubledInGroups: more(chats.slice(personal)),
    half: chats.flatMap((chat) => chat.shown()).filter((one) => !isComplete(one)).length,
  }
}
