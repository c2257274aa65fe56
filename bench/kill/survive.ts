import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { seeded } from '../result.ts'
import { type Audit, audit } from './check.ts'
import { type Ledger, type People, talkative } from './people.ts'
import type { Order, Said } from './protocol.ts'

/** How it went. */
export interface Survival extends Audit {
  readonly ledger: Ledger
  /** Kills that came before the process was ready. */
  readonly atStart: number
}

/** Lines of the child after which the longest life ends. */
const longestLife = 60

/**
 * Kills the core so often, each time at a random moment of a conversation with votes, duels and training runs, starts
 * it again, repeats what was not acknowledged and some of what was, and says what is wrong in the end.
 */
export async function survive(kills: number, seed: number, say: (text: string) => void): Promise<Survival> {
  const dir = await mkdtemp(join(tmpdir(), 'hone-kill-'))
  const random = seeded(seed)
  const people = talkative(random)
  const broken: string[] = []
  let atStart = 0
  try {
    for (let kill = 1; kill <= kills; kill++) {
      // Every eighth while it starts, the others while it works.
      const lines = kill % 8 === 0 ? 1 : 2 + Math.floor(random() * longestLife)
      if (!(await live(dir, people, { lines, broken }))) atStart += 1
      if (kill % 10 === 0) say(`${kill} kills, ${people.ledger.events.size} events acknowledged`)
    }
    await live(dir, people, { broken })
    const found = audit(join(dir, 'hone.db'), people.ledger)
    return { ...found, broken: [...found.broken, ...broken], ledger: people.ledger, atStart }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** The last order: to answer all that is open. */
const drain: Order = { n: 0, kind: 'drain' }

interface Life {
  /** Killed after so many lines; without, it ends in peace once everything is answered. */
  readonly lines?: number
  readonly broken: string[]
}

/** One life of the child; false when it ended before the child was ready. */
async function live(dir: string, people: People, { lines, broken }: Life): Promise<boolean> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), dir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.on('error', () => {})
  const ended = once(child, 'close')
  let ready = false
  let count = 0
  let draining = false
  for await (const line of createInterface({ input: child.stdout })) {
    const said = parse(line)
    if (!said) continue
    count += 1
    if (count === lines) child.kill('SIGKILL')
    if (said.kind === 'ready') {
      ready = true
      if (said.running > 0) broken.push(`${said.running} jobs run after a start`)
      broken.push(...said.half.map((name) => `${name} is half made`))
      order(child, people.begin())
    }
    people.hear(said)
    if (lines !== undefined) {
      if (ready) order(child, people.goOn())
    } else if (said.kind === 'done' && said.n === drain.n) {
      child.stdin.end()
    } else if (ready && !people.waiting && !draining) {
      draining = true
      order(child, [drain])
    }
  }
  await ended
  return ready
}

function order(child: ChildProcess, orders: readonly Order[]): void {
  for (const one of orders) child.stdin?.write(`${JSON.stringify(one)}\n`)
}

/** A line that the kill cut off was never said. */
function parse(line: string): Said | undefined {
  try {
    return JSON.parse(line) as Said
  } catch {
    return undefined
  }
}
