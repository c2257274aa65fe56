import type { Listener } from '../answer.ts'
import { asHoneError, HoneError } from '../errors.ts'
import type { InboundMessage } from '../ports/channel.ts'
import type { Engine } from '../ports/engine.ts'
import type { ToolCall, Turn } from '../ports/store.ts'
import type { Compiled } from '../prompt/compile.ts'
import { oneLine } from '../prompt/value.ts'
import { choose, type Wanted } from './choose.ts'
import { isRepeated, isSame, type RunParts, runAndKeep } from './run.ts'
import type { Offer } from './toolbox.ts'

const shortResult = 60

/** A message for which tools may be used. */
export interface Task {
  readonly event: InboundMessage
  readonly offers: readonly Offer[]
  /** How many calls one message may cause. */
  readonly most: number
  /** The call that the turn before asks the person about. */
  readonly waiting?: ToolCall | undefined
  /** What tools did for the messages just before, to which there is no reply. */
  readonly unanswered?: readonly ToolCall[]
  /** The prompt with what the tools answered so far. */
  readonly compile: (calls: readonly ToolCall[]) => Promise<Compiled>
}

export interface Used {
  readonly compiled: Compiled
  readonly calls: readonly ToolCall[]
  /** What the person is to be asked, instead of an answer. */
  readonly question?: string
}

/**
 * Uses tools for a message, beginning with what they did for it already (before a crash, say), until the model wants none, wants the same again, or has had its number of calls. What
 * changes something waits for the person's yes: their next message decides. A choice that fails costs no reply.
 */
export async function useTools(task: Task, engine: Engine, listener: Listener, parts: RunParts): Promise<Used> {
  const { event, offers, most } = task
  const { signal } = listener
  const { unanswered = [], waiting } = task
  const own = offers.length > 0 || waiting ? [...(await parts.store.calls.of(event.id))] : []
  const calls = () => [...unanswered, ...own]

  async function run(wanted: Wanted): Promise<void> {
    listener.emit({ kind: 'status', text: `Using ${wanted.offer.tool.name}` })
    own.push(await runAndKeep(wanted, { event, signal, nth: own.length }, parts))
  }

  if (waiting && !own.some((call) => isSame(call, waiting))) {
    const wanted = isYes(event.text) ? allowed(waiting, offers) : undefined
    if (wanted) await run(wanted)
    else own.push({ ...waiting, state: 'declined', result: 'the person did not say yes' })
  }
  const refused = isNo(event.text) ? waiting?.name : undefined
  const open = offers.filter(({ tool }) => tool.name !== refused)
  let compiled = await compiledWith(calls(), task)
  while (open.length > 0 && own.length < most && !signal.aborted) {
    const wanted = await choice(compiled)
    if (!wanted) break
    const { tool, rule } = wanted.offer
    if (isRepeated(wanted, [...unanswered.filter(({ state }) => state === 'done'), ...own])) {
      own.push({ name: tool.name, arguments: wanted.given, state: 'repeated' })
      break
    }
    if (rule.changes) {
      own.push({ name: tool.name, arguments: wanted.given, state: 'waiting' })
      return { compiled, calls: calls(), question: questionFor(wanted) }
    }
    await run(wanted)
    compiled = await compiledWith(calls(), task)
  }
  return { compiled, calls: calls() }

  async function choice({ messages }: Compiled): Promise<Wanted | undefined> {
    try {
      return await choose(messages, open, engine, { signal, cacheKey: event.thread })
    } catch (error) {
      const failure = asHoneError(error, 'ENGINE_FAILED', 'No tool could be chosen')
      if (!signal.aborted) parts.log.warn('tool.unchosen', { error: failure, event: event.id })
      return undefined
    }
  }
}

/** What was done must not go unanswered: results that don't fit the model's window are told shorter. */
async function compiledWith(calls: readonly ToolCall[], { compile }: Task): Promise<Compiled> {
  const shortened = calls.map((call) => ({
    ...call,
    ...(call.result ? { result: oneLine(call.result, shortResult) } : {}),
  }))
  return compile(calls).catch((error: unknown) => {
    if (calls.length > 0 && error instanceof HoneError && error.code === 'INPUT') return compile(shortened)
    throw error
  })
}

/** The call that a thread's last turn asks about, for whoever it asks; nobody else can say yes. */
export function waitingFor({ person }: InboundMessage, earlier: readonly Turn[]): ToolCall | undefined {
  const [asked, last] = earlier.slice(-2)
  if (last?.role !== 'assistant' || asked?.role !== 'user' || asked.person !== person.id) return undefined
  return last.tools?.findLast(({ state }) => state === 'waiting')
}

/** What was asked about, if this person may still have it used. */
function allowed({ name, arguments: given }: ToolCall, offers: readonly Offer[]): Wanted | undefined {
  const offer = offers.find(({ tool }) => tool.name === name)
  return offer && { offer, given }
}

function isYes(text: string): boolean {
  return /^\W*(yes|y|yes,? please|yep|ok|okay|sure|go ahead|do it|confirm|ja|oui|s[ií])\W*$/i.test(text)
}

function isNo(text: string): boolean {
  return /^\W*(no|n|no,? thanks|nope|stop|cancel|nein|non)\b/i.test(text)
}

function questionFor({ offer: { tool }, given }: Wanted): string {
  const lines = Object.entries(given).map(([name, value]) => `- ${name}: ${oneLine(textOf(value))}`)
  return [`May I use **${tool.name}**?`, ...lines, '', 'Say "yes" and I do; with anything else I don’t.'].join('\n')
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
