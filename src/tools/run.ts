import { isDeepStrictEqual } from 'node:util'
import { HoneError } from '../errors.ts'
import { commandsOf } from '../id.ts'
import type { Logger } from '../log.ts'
import type { InboundMessage } from '../ports/channel.ts'
import type { Store, ToolCall } from '../ports/store.ts'
import { oneLine } from '../prompt/value.ts'
import type { Wanted } from './choose.ts'

const longestResult = 1500

export interface RunParts {
  readonly store: Pick<Store, 'inbox' | 'calls'>
  readonly log: Logger
}

interface Use {
  readonly event: InboundMessage
  readonly signal: AbortSignal
  /** Which use of a tool it is for the event. */
  readonly nth: number
}

/**
 * Calls a tool and keeps what came of it: on disk before anything else is done, so whatever becomes of the reply, it is
 * on record, and answering the event again finds it there. A look-up that was cut short is nothing to keep.
 *
 * @throws HoneError STORE and others when it can't be kept
 */
export async function runAndKeep(wanted: Wanted, use: Use, parts: RunParts): Promise<ToolCall> {
  const call = await runTool(wanted, use, parts)
  if (call.state !== 'unknown' || wanted.offer.rule.changes) await parts.store.calls.keep(use.event, use.nth, call)
  return call
}

/**
 * Calls a tool within its time, and answers the record of it; never throws. What changes something is called at most
 * once for a message: that it begins is on disk before it does, so after a crash it is not done again.
 */
export async function runTool(
  { offer: { tool, rule }, given }: Wanted,
  { event, signal, nth }: Use,
  { store, log }: RunParts,
): Promise<ToolCall> {
  const { name } = tool
  const id = `${event.id}:tool:${nth}`
  if (rule.changes && !(await begins(id, event, store)))
    return {
      name,
      arguments: given,
      state: 'unknown',
      result: 'it was interrupted; it is not known whether it was done',
    }
  const started = performance.now()
  const late = AbortSignal.timeout(rule.timeoutMs)
  const over = AbortSignal.any([signal, late])
  const ended = (state: ToolCall['state'], result: string): ToolCall => {
    const ms = Math.round(performance.now() - started)
    log.info('tool.called', { name, state, ms, event: event.id })
    return { name, arguments: given, state, result, ms }
  }
  try {
    const raw = await until(over, async () => tool.call(given, { event, id, signal: over }))
    return ended('done', told(raw))
  } catch (error) {
    if (signal.aborted) return ended('unknown', 'it was stopped; it is not known whether it was done')
    if (late.aborted) return ended('late', 'it did not answer in time; it is not known whether it was done')
    if (rule.changes && error instanceof HoneError && error.code === 'UNSURE')
      return ended('unknown', `${told(error.message)}; it is not known whether it was done`)
    return ended('failed', `it failed: ${told(error instanceof Error ? error.message : String(error))}`)
  }
}

/** A tool is a host's code: it may never come back. */
function until<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    if (signal.aborted) reject(signal.reason)
    else work().then(resolve, reject)
  })
}

/** An event of its own, in a channel that nobody has: the inbox takes each once, for ever. */
async function begins(id: string, event: InboundMessage, { inbox }: RunParts['store']): Promise<boolean> {
  const claimed = await inbox.claim({ ...event, id, channel: commandsOf('tool'), text: '' })
  if (claimed) await inbox.settle(id, 'ignored', 'a tool')
  return claimed
}

/** What a tool answered, as data on one line. */
function told(raw: unknown): string {
  const text = typeof raw === 'string' ? raw : (JSON.stringify(raw) ?? 'done')
  return oneLine(text, longestResult) || 'done'
}

/** Whether the same was called before: a model that goes round in a circle is stopped. */
export function isRepeated({ offer, given }: Wanted, calls: readonly ToolCall[]): boolean {
  const made = calls.filter(({ state }) => state !== 'declined')
  return made.some((call) => isSame(call, { name: offer.tool.name, arguments: given }))
}

/** The same tool with the same arguments. */
export function isSame(a: Pick<ToolCall, 'name' | 'arguments'>, b: Pick<ToolCall, 'name' | 'arguments'>): boolean {
  return a.name === b.name && isDeepStrictEqual(a.arguments, b.arguments)
}
