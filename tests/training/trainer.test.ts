import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { HoneError } from '../../src/errors.ts'
import { type Logger, silent } from '../../src/log.ts'
import type { TrainEvent } from '../../src/ports/trainer.ts'
import { parseEvent } from '../../training/train-event.ts'
import { pythonTrainer } from '../../training/trainer.ts'
import { isAlive, tinyFolder, tinyJob } from './child.ts'

const never = new AbortController().signal

/** A trainer, and the process ids of the children it started. */
function watched(dataDir: string, graceMs = 60_000) {
  const pids: number[] = []
  const log: Logger = {
    ...silent,
    info(event, fields) {
      if (event === 'trainer.start') pids.push(Number(fields?.['pid']))
    },
  }
  return { trainer: pythonTrainer({ dataDir, log, graceMs }), pids }
}

/** Resolves once nothing of the child's process group is left; mocha's timeout is the limit. */
async function gone(pid: number): Promise<void> {
  while (isAlive(pid) || isAlive(-pid)) await pause(20)
}

/** Runs to the end, calling `onStep` at each step; answers what was thrown, or undefined. */
async function endOf(events: AsyncIterable<TrainEvent>, onStep: () => void = () => {}): Promise<HoneError | undefined> {
  try {
    for await (const event of events) if (event.type === 'step') onStep()
    return undefined
  } catch (error) {
    assert.ok(error instanceof HoneError, String(error))
    return error
  }
}

describe('the Python trainer', function () {
  this.timeout(600_000)
  let folder: Awaited<ReturnType<typeof tinyFolder>>
  before(async () => {
    folder = await tinyFolder()
  })
  after(() => folder[Symbol.asyncDispose]())

  it('tells its stages and steps and ends with the files it made', async () => {
    const { trainer, pids } = watched(folder.path)
    const events: TrainEvent[] = []
    for await (const event of trainer.train(tinyJob(folder.path, 'whole'), never)) events.push(event)
    const stages = events.filter((event) => event.type === 'stage' && event.state === 'done')
    assert.deepEqual(
      stages.map((event) => event.type === 'stage' && event.stage),
      ['environment', 'data', 'model', 'train', 'publish'],
    )
    const done = events.at(-1)
    assert.ok(done?.type === 'done')
    assert.ok((await stat(done.gguf ?? '')).size > 1000)
    assert.match(done.sha256, /^[0-9a-f]{64}$/)
    const log = await readFile(join(folder.path, 'jobs', 'whole', 'train.log'), 'utf8')
    assert.match(log, /train_loss/)
    assert.doesNotMatch(log, /"type": "step"/)
    await gone(pids[0] as number)
  })

  it('stops on request, leaves no LoRA behind and no process', async () => {
    const { trainer, pids } = watched(folder.path)
    const controller = new AbortController()
    const job = tinyJob(folder.path, 'stopped', 10_000)
    const error = await endOf(trainer.train(job, controller.signal), () => controller.abort())
    assert.equal(error?.code, 'CANCELLED')
    await assert.rejects(stat(job.output))
    await gone(pids[0] as number)
  })

  it('is killed when it does not stop in time', async () => {
    const controller = new AbortController()
    const { trainer, pids } = watched(folder.path, 1)
    const error = await endOf(trainer.train(tinyJob(folder.path, 'slow', 10_000), controller.signal), () => {
      controller.abort()
    })
    assert.equal(error?.code, 'CANCELLED')
    await gone(pids[0] as number)
  })

  it('goes on from its last checkpoint with fewer rows at once when the system kills it', async () => {
    const { trainer, pids } = watched(folder.path)
    // So many steps that it can't be at its end before the kill comes.
    const job = { ...tinyJob(folder.path, 'starved', 20), checkpointSeconds: 0 }
    const events: TrainEvent[] = []
    for await (const event of trainer.train(job, never)) {
      events.push(event)
      if (event.type === 'step' && event.step === 4 && pids.length === 1) process.kill(pids[0] as number, 'SIGKILL')
    }
    const adjusted = events.findIndex(({ type }) => type === 'adjust')
    assert.deepEqual(events[adjusted], {
      type: 'adjust',
      microBatch: 2,
      checkpointing: false,
      why: 'The run ran out of memory. It goes on with 2 rows at once instead of 4.',
    })
    const next = events.slice(adjusted).find((event) => event.type === 'step')
    assert.ok(next?.type === 'step' && next.step > 2, JSON.stringify(next))
    assert.equal(events.at(-1)?.type, 'done')
  })

  it('leaves nothing behind when it is killed however little it takes, and names the log', async () => {
    const { trainer, pids } = watched(folder.path)
    const job = { ...tinyJob(folder.path, 'killed', 10_000), fit: { microBatch: 1, checkpointing: true } }
    const error = await endOf(trainer.train(job, never), () => process.kill(pids.at(-1) as number, 'SIGKILL'))
    assert.equal(error?.code, 'TRAINER_FAILED')
    assert.match(error?.message ?? '', /SIGKILL.*jobs\/killed\/train\.log/)
    assert.deepEqual(
      (await readdir(folder.path)).filter((name) => name.startsWith('killed')),
      [],
    )
  })

  it('names the file and the line of a bad row', async () => {
    const bad = { ...tinyJob(folder.path, 'bad'), dataset: join(folder.path, 'jobs') }
    await writeFile(join(folder.path, 'jobs', 'train.jsonl'), '\n{"prompt": []}\n')
    const error = await endOf(watched(folder.path).trainer.train(bad, never))
    assert.match(error?.message ?? '', /train\.jsonl line 2: prompt must be a list of messages/)
    assert.equal(error?.fields['code'], 'BAD_DATA')
  })

  it('ends its process when the caller stops listening', async () => {
    const { trainer, pids } = watched(folder.path)
    for await (const event of trainer.train(tinyJob(folder.path, 'left', 10_000), never)) {
      if (event.type === 'hello') break
    }
    await gone(pids[0] as number)
  })

  it('does not start when it was stopped before', async () => {
    const { trainer, pids } = watched(folder.path)
    const error = await endOf(trainer.train(tinyJob(folder.path, 'never'), AbortSignal.abort()))
    assert.equal(error?.code, 'CANCELLED')
    assert.deepEqual(pids, [])
  })

  it('dies with its parent, even when that is killed outright', async () => {
    const script = fileURLToPath(new URL('abandon.ts', import.meta.url))
    const parent = spawn(process.execPath, [script, folder.path], { stdio: ['ignore', 'pipe', 'pipe'] })
    const started = new Promise<number>((resolve) => {
      createInterface({ input: parent.stderr }).on('line', (line) => {
        const found = /"pid":(\d+)/.exec(line)
        if (found) resolve(Number(found[1]))
      })
    })
    const pid = await started
    await once(parent.stdout, 'data')
    assert.ok(isAlive(pid))
    parent.kill('SIGKILL')
    await gone(pid)
  })
})

describe('the Python trainer with RL', function () {
  this.timeout(600_000)
  it('tells of the reward model first, then of the rewards, in one count of steps', async () => {
    await using folder = await tinyFolder('rl')
    const job = { ...tinyJob(folder.path, 'rl', 2), method: 'rl' as const }
    const events: TrainEvent[] = []
    for await (const event of watched(folder.path).trainer.train(job, never)) events.push(event)
    const steps = events.filter((event) => event.type === 'step')
    const [judging, acting] = [
      steps.filter(({ accuracy }) => accuracy !== undefined),
      steps.filter(({ kl }) => kl !== undefined),
    ]
    assert.deepEqual([judging.length, acting.length, steps.at(-1)?.step, steps.at(-1)?.of], [4, 16, 20, 20])
    assert.ok(acting.every(({ reward }) => typeof reward === 'number'))
    assert.equal(events.at(-1)?.type, 'done')
  })
})

describe('an event of the trainer', () => {
  it('is read from a line', () => {
    const line = '{"type":"step","step":1,"of":2,"loss":0.5,"later":"field"}'
    assert.deepEqual(parseEvent(line), { type: 'step', step: 1, of: 2, loss: 0.5 })
  })

  it('is ignored when its type is not known or it is no event', () => {
    for (const line of ['{"type":"heartbeat"}', 'Loading weights', '{"type":"step"}', '', '7']) {
      assert.equal(parseEvent(line), undefined)
    }
  })
})
