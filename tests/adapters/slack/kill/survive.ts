import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { deliver } from '../../../fakes/slack/http.ts'
import { type FakeSlack, fakeSlack } from '../../../fakes/slack/index.ts'
import { mention } from '../../../fakes/slack/payloads.ts'
import { visible } from '../../../fakes/slack/workspace.ts'

const perSecond = 60
const lifeMs = 1000
/** Acknowledged in each life at least, unless it takes too long; and never more on their way than so many. */
const perLife = 5
const patienceMs = 20_000
const onTheWay = 30

interface Life {
  readonly child: ChildProcess
  readonly url: string
}

async function start(dir: string, slack: FakeSlack): Promise<Life> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), dir, slack.url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [port] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string]
  return { child, url: `http://127.0.0.1:${port}/slack/events` }
}

async function kill({ child }: Life): Promise<void> {
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

/** The process that lives; a promise while it starts. */
interface Lives {
  current: Promise<Life>
  alive: boolean
}

/**
 * Sends events at a steady rate while a process lives, each with Slack's retries; keeps those acknowledged. A machine that is too
 * slow for the rate gets fewer.
 */
function sending(lives: Lives) {
  const acknowledged: string[] = []
  const open: Promise<void>[] = []
  let n = 0
  let inFlight = 0
  let next = Promise.withResolvers<void>()
  const send = async (ts: string): Promise<void> => {
    const payload = mention({ text: `Question ${n}.`, ts, channel: `C${n % 5}` })
    for (let attempt = 0; attempt < 4; attempt++) {
      const { url } = await lives.current
      if (!(await deliver(url, payload, { pauses: [] }))) continue
      acknowledged.push(ts)
      next.resolve()
      next = Promise.withResolvers()
      return
    }
  }
  const timer = setInterval(() => {
    if (lives.alive && inFlight < onTheWay) {
      inFlight += 1
      open.push(send(`${1_763_800_000 + ++n}.000100`).finally(() => (inFlight -= 1)))
    }
  }, 1000 / perSecond)
  return {
    acknowledged,
    /** Resolves once so many more are acknowledged. */
    async more(count: number) {
      for (const goal = acknowledged.length + count; acknowledged.length < goal; ) await next.promise
    },
    async end() {
      clearInterval(timer)
      await Promise.all(open)
      return n
    },
  }
}

/** What became of the events. */
export interface Survived {
  readonly sent: number
  readonly acknowledged: number
  /** Acknowledged and never answered whole. */
  readonly lost: readonly string[]
  /** Answered twice, by finished replies or by words. */
  readonly doubled: readonly string[]
  /** Messages that were left streaming, or marked as unfinished. */
  readonly half: readonly string[]
}

/** Signed events at 60 a second to a bot that is killed so many times, at moments of chance. */
export async function survive(kills: number): Promise<Survived> {
  const dir = await mkdtemp(join(tmpdir(), 'hone-slack-kill-'))
  await using slack = await fakeSlack({ unlimited: true })
  const lives: Lives = { current: start(dir, slack), alive: true }
  await lives.current
  const sender = sending(lives)
  for (let count = 0; count < kills; count++) {
    await Promise.race([sender.more(perLife), sleep(patienceMs)])
    await sleep(lifeMs * (0.2 + Math.random()))
    const dying = await lives.current
    lives.alive = false
    lives.current = kill(dying).then(() => start(dir, slack))
    await lives.current
    lives.alive = true
  }
  await sleep(lifeMs)
  const sent = await sender.end()
  const { child } = await lives.current
  child.stdin?.end()
  await once(child, 'close')
  await rm(dir, { recursive: true, force: true })
  return { sent, ...judge(slack, sender.acknowledged) }
}

function judge({ space }: FakeSlack, acknowledged: readonly string[]): Omit<Survived, 'sent'> {
  const of = (ts: string) => space.messages.filter(({ thread }) => thread === ts)
  const whole = (ts: string) => of(ts).filter((message) => visible(message).includes('hone:done:')).length
  const said = (ts: string) => of(ts).filter((message) => /Question \d+\./.test(visible(message))).length
  const half = space.messages.filter((one) => one.streamingSince !== undefined || visible(one).includes('hone:live:'))
  const asked = [...new Set(space.messages.map(({ thread = '' }) => thread))]
  return {
    acknowledged: acknowledged.length,
    lost: acknowledged.filter((ts) => whole(ts) === 0),
    doubled: asked.filter((ts) => whole(ts) > 1 || said(ts) > 1),
    half: half.map(({ ts }) => ts),
  }
}
