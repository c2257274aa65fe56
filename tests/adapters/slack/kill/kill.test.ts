import assert from 'node:assert/strict'
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

/** SLACK_KILLS=50 for the long run. */
const kills = Number(process.env['SLACK_KILLS'] ?? 3)
const perSecond = 60
const lifeMs = 1000

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

/** Sends events at a steady rate while a process lives, each with Slack's retries; keeps those acknowledged. */
function sending(lives: Lives) {
  const acknowledged: string[] = []
  const open: Promise<void>[] = []
  let n = 0
  const send = async (ts: string): Promise<void> => {
    const payload = mention({ text: `Question ${n}.`, ts, channel: `C${n % 5}` })
    for (let attempt = 0; attempt < 4; attempt++) {
      const { url } = await lives.current
      if (await deliver(url, payload, { pauses: [] })) return void acknowledged.push(ts)
    }
  }
  const timer = setInterval(() => {
    if (lives.alive) open.push(send(`${1_763_800_000 + ++n}.000100`))
  }, 1000 / perSecond)
  return {
    acknowledged,
    async end() {
      clearInterval(timer)
      await Promise.all(open)
      return n
    },
  }
}

describe('Slack events at 60 a second to a bot that is killed again and again', () => {
  it(`are answered once, every one that was acknowledged, through ${kills} kills`, async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hone-slack-kill-'))
    await using slack = await fakeSlack({ unlimited: true })
    const lives: Lives = { current: start(dir, slack), alive: true }
    await lives.current
    const sender = sending(lives)
    for (let count = 0; count < kills; count++) {
      await sleep(lifeMs * (0.5 + Math.random()))
      const dying = await lives.current
      lives.current = kill(dying).then(() => start(dir, slack))
      lives.alive = false
      await lives.current
      lives.alive = true
    }
    await sleep(lifeMs)
    const sent = await sender.end()
    const { child } = await lives.current
    child.stdin?.end()
    await once(child, 'close')
    await rm(dir, { recursive: true, force: true })

    const of = (ts: string) => slack.space.messages.filter(({ thread }) => thread === ts)
    const whole = (ts: string) => of(ts).filter((message) => visible(message).includes('hone:done:')).length
    const said = (ts: string) => of(ts).filter((message) => /Question \d+\./.test(visible(message))).length
    const half = slack.space.messages.filter(
      (one) => one.streamingSince !== undefined || visible(one).includes('hone:live:'),
    )
    const asked = [...new Set(slack.space.messages.map(({ thread = '' }) => thread))]
    const lost = sender.acknowledged.filter((ts) => whole(ts) === 0)
    const doubled = asked.filter((ts) => whole(ts) > 1 || said(ts) > 1)
    process.stdout.write(`      ${kills} kills, ${sent} events sent, ${sender.acknowledged.length} acknowledged\n`)
    assert.deepEqual({ lost, doubled, half: half.map(({ ts }) => ts) }, { lost: [], doubled: [], half: [] })
    assert.ok(sender.acknowledged.length > sent / 2)
  }).timeout(60_000 + kills * 5000)
})
