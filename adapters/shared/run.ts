import { setTimeout as sleep } from 'node:timers/promises'
import type { Bot } from '../../src/ports/bot.ts'
import type { GateCheck, GateReport, RunEvent } from '../../src/ports/learning.ts'
import type { Job } from '../../src/ports/store.ts'

/** What there is to show of a training run at one moment. */
export interface RunView {
  readonly job?: Job
  /** What is being done, in words. */
  readonly phase: string
  readonly step: number
  /** 0 as long as nobody knows. */
  readonly steps: number
  readonly etaSeconds?: number
  readonly loss?: number
  /** The course of the loss so far. */
  readonly spark: string
  /** How the run ended; absent while it goes on. */
  readonly ended?: Exclude<Job['state'], 'running'>
  readonly gate?: GateReport
}

export interface FollowOptions {
  /** Between two views at least so long; the last view always comes. */
  readonly everyMs?: number
  readonly signal?: AbortSignal
  /** Only runs that concern this tenant. */
  readonly tenant?: string
  readonly wait?: (ms: number) => Promise<unknown>
  /** A view that could not be shown; the next one is tried all the same. */
  readonly failed?: (error: unknown) => void
}

/** What a check of the gate came to, in a line. @example 'Answers that are not empty: 1 (≥ 100 %, 0.82 to 1, n = 12)' */
export function checkText({ what, value, limit, interval, n }: GateCheck): string {
  return `${what}: ${figure(value)} (${[limit, ...(interval ? [interval.map(figure).join(' to ')] : []), `n = ${n}`].join(', ')})`
}

/** ✔ passed, ✖ failed, ? failed in a way that a person has to weigh. */
export function checkMark({ pass, onFail }: GateCheck): '✔' | '✖' | '?' {
  return pass ? '✔' : onFail ? '?' : '✖'
}

function figure(value: number): string {
  return Number(value.toPrecision(3)).toString()
}

const bars = '▁▂▃▄▅▆▇█'

/** The course of a figure in a few characters. @example sparkline([3, 2, 1]) // '█▅▁' */
export function sparkline(values: readonly number[], width = 16): string {
  const shown = values.slice(-width)
  const low = Math.min(...shown)
  const span = Math.max(...shown) - low || 1
  return shown.map((value) => bars[Math.round(((value - low) / span) * (bars.length - 1))]).join('')
}

/**
 * Follows a training run to its end and shows how it stands, never more often than `everyMs`: for channels that edit
 * one message. Views that come while one is being shown are passed over for the newest. Resolves with the last view;
 * undefined when the bot doesn't train or nothing happened.
 *
 * @example await followRun(bot, (view) => edit(`${view.step}/${view.steps} ${view.spark}`), { everyMs: 3000 })
 */
export async function followRun(
  bot: Bot,
  show: (view: RunView) => Promise<unknown> | unknown,
  options: FollowOptions = {},
): Promise<RunView | undefined> {
  if (!bot.learning) return undefined
  const { everyMs = 2000, signal, wait = (ms) => sleep(ms), failed = () => undefined } = options
  const losses: number[] = []
  let view: RunView | undefined
  let dirty = false
  let ended = false
  let wake = Promise.withResolvers<void>()
  const showing = async (): Promise<void> => {
    for (;;) {
      if (!dirty && !ended) await wake.promise
      wake = Promise.withResolvers()
      if (!dirty || !view) return
      dirty = false
      await Promise.resolve(view).then(show).catch(failed)
      if (!ended) await Promise.race([wait(everyMs), end.promise])
    }
  }
  const end = Promise.withResolvers<void>()
  const shown = showing()
  try {
    for await (const event of bot.learning.watch(signal, options.tenant)) {
      view = viewAfter(view ?? { phase: 'Starting', step: 0, steps: 0, spark: '' }, event, losses)
      dirty = true
      wake.resolve()
    }
  } finally {
    ended = true
    end.resolve()
    wake.resolve()
    await shown
  }
  return view
}

/** The view after one more event. `losses` is added to. */
function viewAfter(view: RunView, event: RunEvent, losses: number[]): RunView {
  switch (event.kind) {
    case 'say':
      return { ...view, phase: event.text }
    case 'gate':
      return { ...view, phase: 'Testing', gate: event.report }
    case 'state': {
      const { job } = event
      if (job.state === 'running') return { ...view, job }
      return { ...view, job, ended: job.state, phase: endings[job.state] }
    }
    case 'train':
      return trained(view, event.event, losses)
  }
}

function trained(view: RunView, event: Extract<RunEvent, { kind: 'train' }>['event'], losses: number[]): RunView {
  switch (event.type) {
    case 'hello':
      return { ...view, phase: `Training on ${event.device}` }
    case 'stage':
      return event.state === 'start' ? { ...view, phase: event.stage } : view
    case 'step': {
      losses.push(event.loss)
      const { etaSeconds: _, ...rest } = view
      const eta = event.etaSeconds === undefined ? {} : { etaSeconds: event.etaSeconds }
      return { ...rest, ...eta, step: event.step, steps: event.of, loss: event.loss, spark: sparkline(losses) }
    }
    default:
      return view
  }
}

/** How a run ended, in words. */
export const endings: Readonly<Record<Exclude<Job['state'], 'running'>, string>> = {
  promoted: 'The new version serves.',
  canary: 'The new version passed and answers a share of the threads; what people say there decides.',
  held: 'The new version is held back; an admin may promote it.',
  refused: 'The gate refused the new version; the old one goes on serving.',
  compared: 'The comparison is done; nothing was changed.',
  kept: 'What the run made is kept; nothing serves it yet.',
  failed: 'The run failed; the old version goes on serving.',
  cancelled: 'The run was cancelled; nothing was changed.',
}
