import { awaitedCanary, type Waiting } from './audit.ts'
import { commandsOf, guestOf, isReceipt, newId } from './id.ts'
import { outcomeText } from './outcome.ts'
import type { CommandRequest } from './ports/bot.ts'
import type { InboundMessage, Person } from './ports/channel.ts'
import type { GateReport } from './ports/learning.ts'
import type { LiveProof } from './ports/live.ts'
import type { Job, Store } from './ports/store.ts'

/** What is known of a command that an earlier process did not answer. */
export interface CutShort {
  readonly store: Store
  /** Deletes a person once more: what was deleted already stays so. */
  readonly forget: (person: string) => Promise<unknown>
  /** Where it is known what became of a canary, and who is told it later. */
  readonly canaries?: {
    readonly live: Pick<LiveProof, 'became'>
    readonly wait: (waiting: Waiting) => Promise<void>
  }
}

const lookedAt = 50
const runPrefix = 'run:'
const forgetPrefix = 'forget:'
/** Commands that start a run besides `retrain`. */
const longRuns: readonly string[] = ['compare', 'tune-prompt']

/** Keeps on disk that somebody waits for the end of a run; settle the id once they were told. */
export async function awaitRun(job: string, request: CommandRequest, { inbox }: Store): Promise<string> {
  const id = `${runPrefix}${job}`
  await inbox.claim(kept(id, 'retrain', request))
  return id
}

/**
 * Keeps on disk who is to be forgotten until everything of theirs is gone; settle the id then. It is nobody's event, so
 * that the deletion does not take it along.
 */
export async function awaitForgetting(request: CommandRequest, { inbox }: Store): Promise<string> {
  const id = `${forgetPrefix}${newId('f')}`
  await inbox.claim({ ...kept(id, request.person.id, request), person: { id: '', name: '' } })
  return id
}

function kept(id: string, text: string, { channel, tenant, thread, person }: CommandRequest): InboundMessage {
  const where = { channel: commandsOf(channel), tenant, thread, person }
  return { kind: 'message', id, text, scopes: [], at: new Date(), ...where }
}

/** Who gave a command: of a deletion they are only named in its text. Undefined where it is for all who are there. */
export function giverOf({ id, text, person }: InboundMessage): Person | undefined {
  if (awaitedCanary(id) !== undefined) return undefined
  return id.startsWith(forgetPrefix) ? { id: text, name: '' } : person
}

/**
 * What became of a command that a crash cut short, in words for the one who gave it; empty when there is nothing to
 * say, undefined when it is not decided yet and will be told then. Nothing is done twice. Only a deletion is finished,
 * since half of it is none.
 */
export async function whatBecameOf(event: InboundMessage, parts: CutShort): Promise<string | undefined> {
  const { id, text } = event
  if (isReceipt(id)) return ''
  const canary = awaitedCanary(id)
  if (canary !== undefined) return canaryEnded(canary, event, parts)
  if (id.startsWith(runPrefix)) return runEnded(id.slice(runPrefix.length), event, parts)
  if (id.startsWith(forgetPrefix)) {
    await parts.forget(text)
    return 'Hone stopped while it deleted what was asked to be forgotten. It is all deleted now.'
  }
  const outcome = await outcomeOf(event, parts.store)
  return outcome && `Hone stopped while it did \`${text.replaceAll('`', '').slice(0, 80)}\`. ${outcome}`
}

async function outcomeOf(event: InboundMessage, { jobs, serving, inbox }: Store): Promise<string> {
  const [name, version] = event.text.split(/\s+/)
  const since = ({ by, at }: { readonly by: string; readonly at: Date }) => by === event.person.id && at >= event.at
  if (name === 'retrain' || (longRuns.includes(name ?? '') && version === 'start')) {
    const started = (await jobs.list(lookedAt)).find(({ by, startedAt: at }) => since({ by, at }))
    const what = name === 'retrain' ? 'No training run' : 'Nothing'
    if (!started) return `${what} was started. Give the command again.`
    // Told once, whichever of the two is read first.
    return (await inbox.claim({ ...event, id: `${runPrefix}${started.id}` })) ? endText(started) : ''
  }
  if (name === 'promote' || name === 'rollback') {
    const served = (await serving.log(lookedAt)).find(since)
    if (served && (name === 'rollback' || served.version === version))
      return `It was done: version **${served.version || (await serving.current())}** serves.`
    const serves = (await serving.current(guestOf(event.tenant))) || (await serving.current())
    return `It was not done: version **${serves}** serves. Give the command again.`
  }
  if (name === 'cancel') return 'The training run ended with it.'
  if (name === 'forget-me') return 'Nothing was deleted. Give the command again.'
  return 'Look how things stand, and give the command again where it is still wanted.'
}

async function runEnded(id: string, event: InboundMessage, parts: CutShort): Promise<string | undefined> {
  const job = await parts.store.jobs.get(id)
  if (job?.state === 'canary') return canaryEnded(versionOf(job), event, parts)
  return job ? endText(job) : ''
}

/** The version that a run made; empty where it made none. */
export function versionOf({ detail: { version } }: Job): string {
  return typeof version === 'string' ? version : ''
}

async function canaryEnded(
  version: string,
  { id: event, thread }: InboundMessage,
  { canaries }: CutShort,
): Promise<string | undefined> {
  if (!canaries) return ''
  const text = await canaries.live.became(version)
  if (text === undefined) await canaries.wait({ version, event, thread })
  return text
}

function endText(job: Job): string {
  const { report } = job.detail as { readonly report?: GateReport }
  return outcomeText(job, report)
}
