import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { syncFolder } from '../knowledge/index.ts'
import { packageRoot } from '../src/cli/model.ts'
import { openParts, type Parts } from '../src/cli/parts.ts'
import { readConfig } from '../src/config.ts'
import { newId } from '../src/id.ts'
import { createLogger } from '../src/log.ts'
import type { Bot } from '../src/ports/bot.ts'
import type { Inbound, InboundMessage, InboundRetry, Reply, ReplyEvent } from '../src/ports/channel.ts'
import { everyTenant } from '../src/ports/knowledge.ts'

/** A question of a generated handbook. `answer` null: the handbook doesn't say. */
export interface Question {
  readonly question: string
  readonly answer: string | null
  readonly aliases?: readonly string[]
  readonly kind: string
  readonly page?: string | null
  /** Asked before it, in the same thread. */
  readonly turns?: readonly { readonly question: string }[]
}

/** A whole Hone on a data folder of its own, and a person who uses it through the public API. */
export interface Lab extends AsyncDisposable {
  readonly parts: Parts
  readonly bot: Bot
  readonly dataDir: string
  ask(text: string, thread?: string): Promise<Outcome>
  retry(turn: string, thread: string): Promise<Outcome>
}
/** What a message got: one reply, or two to choose from. */
export interface Outcome {
  readonly thread: string
  readonly replies: readonly Reply[]
  readonly duel?: string
}

/** The sample profile, with nothing told of what was judged. */
export const withoutExamples = join(packageRoot, 'bench', 'fixtures', 'profiles', 'without-examples.md')

export const rater = { id: 'web:rater', name: 'Rater' }

/**
 * Opens a lab with these folders of documents ingested. `settings` are those of the environment; `at` is a data folder that
 * stays, in place of one that is removed in the end.
 */
export async function openLab(
  folders: readonly string[],
  settings: Readonly<Record<string, string>> = {},
  at?: string,
): Promise<Lab> {
  const dataDir = at ?? (await mkdtemp(join(tmpdir(), 'hone-bench-')))
  const unlimited = { HONE_QUESTIONS_A_MINUTE: '0', HONE_PRESSES_A_MINUTE: '0' }
  const config = readConfig({ HONE_DATA: dataDir, HONE_LOG: 'warn', ...unlimited, ...settings })
  const parts = openParts(config, createLogger(config.logLevel))
  const knowledge = await parts.knowledge()
  for (const folder of folders) await syncFolder(knowledge, folder, { tenant: everyTenant, scope: 'public' })
  const bot = await parts.bot()
  const waiting = new Map<string, (events: readonly ReplyEvent[]) => void>()
  const detach = bot.attach({
    name: 'web',
    duels: true,
    async deliver(event, events) {
      const said = await Array.fromAsync(events)
      waiting.get(event.id)?.(said)
      waiting.delete(event.id)
      return []
    },
  })
  const send = async (event: Inbound): Promise<Outcome> => {
    const answered = new Promise<readonly ReplyEvent[]>((resolve) => waiting.set(event.id, resolve))
    await bot.receive(event)
    return outcome(event.thread, await answered)
  }
  const base = (thread: string) => ({
    id: newId('e'),
    channel: 'web',
    tenant: 'web',
    thread,
    person: rater,
    scopes: [],
    at: new Date(),
  })
  return {
    parts,
    bot,
    dataDir,
    ask: (text, thread = `web:${newId('t')}`) =>
      send({ kind: 'message', text, ...base(thread) } satisfies InboundMessage),
    retry: (turn, thread) => send({ kind: 'retry', turn, ...base(thread) } satisfies InboundRetry),
    async [Symbol.asyncDispose]() {
      detach()
      await parts[Symbol.asyncDispose]()
      if (at === undefined) await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function outcome(thread: string, events: readonly ReplyEvent[]): Outcome {
  const last = events.at(-1)
  if (last?.kind === 'done') return { thread, replies: [last.reply] }
  if (last?.kind === 'duel') return { thread, replies: [last.left, last.right], duel: last.duel }
  throw new Error(last?.kind === 'error' ? `${last.code}: ${last.message}` : 'The reply did not end.')
}

/** A folder of pages, and the questions on them. */
export interface Handbook {
  readonly folder: string
  readonly questions: readonly Question[]
}

/** The folders of generated handbooks, and their questions, which stand beside them: nobody may ingest the answers. */
export async function handbooks(
  root = join(packageRoot, 'bench', 'fixtures', 'starter'),
): Promise<readonly Handbook[]> {
  const names = (await readdir(root, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  return Promise.all(
    names.sort().map(async (name) => {
      const folder = join(root, name)
      const lines = (await readFile(`${folder}.jsonl`, 'utf8')).trim().split('\n')
      return { folder, questions: lines.map((line) => JSON.parse(line) as Question) }
    }),
  )
}

/** True when a reply contains the answer, whatever the case and spacing. */
export function isRight({ answer, aliases = [] }: Question, text: string): boolean {
  const plain = (value: string) => value.toLowerCase().replace(/\*\*/g, '').replace(/\s+/g, ' ')
  return answer === null ? saysUnknown(text) : [answer, ...aliases].some((value) => plain(text).includes(plain(value)))
}

/** True when a reply says that it doesn't know. */
export function saysUnknown(text: string): boolean {
  return /\bdon[’']t know\b/i.test(text)
}
