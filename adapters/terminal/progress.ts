import type { Writable } from 'node:stream'
import { SingleBar } from 'cli-progress'
import type { Learning, RunEvent } from '../../src/ports/learning.ts'
import type { TrainEvent } from '../../src/ports/trainer.ts'
import { sparkline } from '../shared/run.ts'
import { gateText, type Paint, plain } from './render.ts'

export interface ProgressOptions {
  readonly output: Writable & { readonly isTTY?: boolean }
  readonly paint: Paint
  readonly signal?: AbortSignal
}

type Step = Extract<TrainEvent, { type: 'step' }>

/**
 * Shows one training run until it ends: a bar with the course of the loss on a terminal, a line for every tenth part
 * elsewhere. Resolves with the last event of the run, or undefined when it was aborted.
 */
export async function showRun(learning: Learning, options: ProgressOptions): Promise<RunEvent | undefined> {
  const { output, paint } = options
  const steps: Step[] = []
  const show = output.isTTY ? bar(output) : lines(output)
  let last: RunEvent | undefined
  try {
    for await (const event of learning.watch(options.signal, 'terminal')) {
      last = event
      if (event.kind === 'train' && event.event.type === 'step') {
        steps.push(event.event)
        show.step(event.event, steps)
        continue
      }
      const text = runText(event, paint)
      if (text) show.say(text)
    }
  } finally {
    show.end()
  }
  return last
}

/** What a run event says, apart from its steps; empty for what needs no word. */
export function runText(event: RunEvent, paint: Paint): string {
  switch (event.kind) {
    case 'say':
      return `${paint('dim', plain(event.text))}\n`
    case 'gate':
      return gateText(event.report, paint)
    case 'state':
      return event.job.state === 'running' ? '' : `${paint('bold', `Training ${ends[event.job.state]}`)}\n`
    case 'train':
      return event.event.type === 'hello' ? `${paint('dim', `Training on ${event.event.device}`)}\n` : ''
  }
}

const ends = {
  promoted: 'ended: the new version serves.',
  canary: 'ended: the new version answers a share of the threads; what people say there decides.',
  held: 'ended: the new version is held back; an admin may promote it.',
  refused: 'ended: the gate refused the new version; the old one goes on serving.',
  compared: 'ended: the techniques are compared; nothing was changed.',
  kept: 'ended: what it made is kept; nothing serves it yet.',
  failed: 'failed; the old version goes on serving.',
  cancelled: 'was cancelled; nothing was changed.',
} as const

interface Display {
  step(step: Step, all: readonly Step[]): void
  say(text: string): void
  end(): void
}

function bar(output: Writable): Display {
  const line = new SingleBar({
    stream: output as NodeJS.WritableStream,
    format: 'training {bar} {value}/{total}  loss {loss} {spark}  {left}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
  })
  let begun = false
  const stop = () => {
    if (begun) line.stop()
    begun = false
  }
  return {
    step(step, all) {
      const payload = {
        loss: step.loss.toFixed(3),
        spark: sparkline(all.map((one) => one.loss)),
        left: step.etaSeconds === undefined ? '' : `${Math.round(step.etaSeconds)} s left`,
      }
      if (begun) line.update(step.step, payload)
      else line.start(step.of, step.step, payload)
      begun = true
    },
    say(text) {
      stop()
      output.write(text)
    },
    end: stop,
  }
}

function lines(output: Writable): Display {
  let tenth = -1
  return {
    step(step) {
      const now = Math.floor((step.step / step.of) * 10)
      if (now === tenth) return
      tenth = now
      output.write(`training ${step.step}/${step.of} loss ${step.loss.toFixed(3)}\n`)
    },
    say: (text) => void output.write(text),
    end() {},
  }
}
