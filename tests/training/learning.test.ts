import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { planText } from '../../src/commands.ts'
import type { Learning, RunEvent, TrainOptions } from '../../src/ports/learning.ts'
import type { Job } from '../../src/ports/store.ts'
import { readHeldOut } from '../../training/held-out.ts'
import { lostTooMuch, ofTheBase, weakerBy } from '../../training/weaken.ts'
import type { Script } from '../fakes/engine.ts'
import { fakeTrainer } from '../fakes/trainer.ts'
import { fill, type House, type HouseOptions, learned, openHouse } from './house.ts'

/** Starts a run, follows it to its end, and answers the ended job and all events. */
async function runOnce(learning: Learning, options?: TrainOptions): Promise<{ job: Job; events: readonly RunEvent[] }> {
  const events: RunEvent[] = []
  const watching = learning.watch()
  await learning.start('web:anna', options)
  for await (const event of watching) events.push(event)
  const last = events.findLast((event) => event.kind === 'state')
  assert.ok(last)
  return { job: last.job, events }
}
const errorOf = (job: Job) => job.detail.error as { readonly code: string; readonly message: string }

const small = { ...fakeTrainer(), machine: async () => ({ device: 'cpu', freeMb: 100 }) as const }

describe('the learning loop', () => {
  let house: House | undefined
  const open = async (options?: HouseOptions) => {
    house = await openHouse(options)
    return house
  }
  afterEach(async () => {
    await house?.[Symbol.asyncDispose]()
    house = undefined
  })

  it('goes from votes to a version that serves', async () => {
    const { learning, store, slot } = await open()
    const { job, events } = await runOnce(learning)
    assert.equal(job.state, 'promoted', JSON.stringify(job.detail))
    assert.equal(slot.version.id, 'v1')
    assert.equal(await store.serving.current(), 'v1')
    assert.equal((await store.jobs.get(job.id))?.state, 'promoted')
    assert.equal(events.filter(({ kind }) => kind === 'train').length, 5)
    assert.equal(events.find((event) => event.kind === 'gate')?.report.verdict, 'promote')
    assert.deepEqual(
      learning.steps().map(({ step }) => step),
      [1, 2, 3],
    )
  })

  it('makes a version whose pairs lead back to turns and people, none of them held out', async () => {
    const { learning } = await open()
    await runOnce(learning)
    const [bare, first] = await learning.versions()
    assert.deepEqual([bare?.id, bare?.serving, first?.id, first?.serving], ['v0', false, 'v1', true])
    assert.ok((first?.pairs.length ?? 0) >= 30 && (first?.pairs.length ?? 0) < 60)
    assert.match(first?.pairs[0]?.chosen ?? '', /^good-web-/)
    assert.deepEqual(first?.pairs[0]?.people, ['web:anna'])
    assert.ok((first?.bytes ?? 0) > 0)
  })

  it('leaves nothing of the run but the version and the dataset', async () => {
    const { learning, dir, trainer } = await open()
    await runOnce(learning)
    assert.deepEqual(await readdir(join(dir, 'jobs')).catch(() => []), await leftovers(dir))
    assert.equal(trainer.jobs[0]?.method, 'dpo')
    const files = await readdir(trainer.jobs[0]?.dataset ?? '')
    assert.deepEqual(files.sort(), ['dataset.json', 'holdout.jsonl', 'replay.jsonl', 'train.jsonl'])
  })

  it('holds out for good what it once held out, though more threads would now be enough', async () => {
    const { learning, store, dir, trainer } = await open({ pairs: 36 })
    await runOnce(learning)
    const held = await readHeldOut(dir)
    const questions = async () =>
      (await readFile(join(trainer.jobs.at(-1)?.dataset ?? '', 'holdout.jsonl'), 'utf8')).split('\n')
    const first = await questions()
    await fill(store, 200)
    await runOnce(learning)
    const now = new Set(await questions())
    assert.deepEqual(
      first.filter((row) => !now.has(row)),
      [],
    )
    const later = await readHeldOut(dir)
    assert.ok(held.size >= 8 && [...held].every((key) => later.has(key)))
  })

  it('says before a run what it would use, and what is missing', async () => {
    const { learning, store } = await open({ pairs: 12 })
    await fill(store, 3, 'slack')
    const plan = await learning.plan()
    assert.match(plan.refusal ?? '', /12 usable pairs, 30 are needed: 18 more/)
    assert.deepEqual(plan.leftOut, { 'channel not allowed': 3 })
    assert.match(planText(plan), /Left out: 3 channel not allowed\.\nThe cap per person is off: fewer than 3 people/)
    await assert.rejects(learning.start('web:anna'), { code: 'NOT_ENOUGH_DATA' })
    assert.deepEqual(await store.jobs.list(5), [])
  })

  it('guesses time and memory for a run that can start', async () => {
    const { learning } = await open()
    const plan = await learning.plan({ epochs: 2 })
    assert.equal(plan.refusal, undefined)
    assert.equal((plan.rows.pairs ?? 0) + (plan.rows.heldOut ?? 0), 60)
    assert.ok(plan.secondsGuess > 0 && plan.memoryGuessMb > 0)
  })

  it('runs one at a time', async () => {
    const { learning } = await open()
    const watching = learning.watch()
    const started = await Promise.allSettled([learning.start('a'), learning.start('b')])
    assert.deepEqual(started.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    await assert.rejects(learning.start('c'), { code: 'BUSY' })
    for await (const event of watching) assert.ok(event)
    await runOnce(learning)
  })

  it('tells every listener, also one that comes late, and ends for all', async () => {
    let late: AsyncIterable<RunEvent> | undefined
    const { learning } = await open({
      trainer: {
        onStep: (step) => {
          if (step === 2) late = learning.watch()
        },
      },
    })
    const { events } = await runOnce(learning)
    assert.ok(late)
    const seen = await Array.fromAsync(late)
    assert.equal(seen[0]?.kind, 'state')
    assert.deepEqual(seen.at(-1), events.at(-1))
    assert.ok(seen.length < events.length)
  })

  it('stops listening when asked to', async () => {
    const { learning } = await open()
    const abort = new AbortController()
    const watching = Array.fromAsync(learning.watch(abort.signal))
    abort.abort()
    assert.deepEqual(await watching, [])
  })

  it('a refused candidate never serves, stays on record with its numbers, and cannot be promoted', async () => {
    const { learning, slot, store } = await open({
      script: { score: (_v, _p, reply) => ({ logProbability: -reply.length, tokens: 1 }) },
    })
    const { job } = await runOnce(learning)
    assert.equal(job.state, 'refused')
    assert.deepEqual([slot.version.id, slot.swapped, await store.serving.current()], ['v0', [], 'v0'])
    assert.equal((await learning.versions())[1]?.gate?.verdict, 'refuse')
    await assert.rejects(learning.promote('v1', 'web:anna'), { code: 'SWAP_REFUSED', message: /live/ })
  })

  describe('with a candidate that learned it and lost too much of the base', () => {
    const forgets = (...ids: readonly string[]): Partial<Script> => ({
      score: (version, prompt, reply) => {
        const { logProbability, tokens } = learned.score(version, prompt, reply)
        // Plain text has no prompt.
        const lost = ids.includes(version.id) && prompt.length === 0 ? 0.5 * tokens : 0
        return { logProbability: logProbability - lost, tokens }
      },
    })
    const at = (dir: string, id: string) => join(dir, 'versions', id)
    const alphaOf = async (folder: string) =>
      (JSON.parse(await readFile(join(folder, 'peft', 'adapter_config.json'), 'utf8')) as { lora_alpha: number })
        .lora_alpha

    it('tries the same LoRA once more, nearer to the base', async () => {
      const { learning, slot, dir, registry } = await open({ script: forgets('v1'), trainer: { alpha: 32 } })
      const { job, events } = await runOnce(learning)
      assert.deepEqual([job.state, slot.version.id], ['promoted', 'v2'])
      const reports = events.flatMap((event) => (event.kind === 'gate' ? [event.report.verdict] : []))
      assert.deepEqual(reports, ['promote'], 'people are told what counts')
      assert.ok(events.some((event) => event.kind === 'say' && /^v1 learned it.*\(prose/.test(event.text)))
      const [refused] = await registry.list()
      assert.equal(refused?.manifest.gate.verdict, 'refuse')
      const failed = refused.manifest.gate.checks.filter(({ pass }) => !pass).map(({ id }) => id)
      assert.ok(failed.length > 0 && failed.every((id) => ['prose', 'forms'].includes(id)), failed.join())
      assert.deepEqual([await alphaOf(at(dir, 'v1')), await alphaOf(at(dir, 'v2'))], [32, 32 * weakerBy])
      const [first, second] = await Promise.all(['v1', 'v2'].map((id) => readFile(join(at(dir, id), 'lora.gguf'))))
      assert.ok(first && second)
      assert.equal(first.readFloatLE(first.length - 4), 32)
      assert.equal(second.readFloatLE(second.length - 4), Math.fround(32 * weakerBy))
      assert.deepEqual(first.subarray(0, -4), second.subarray(0, -4))
      const strengths = (await registry.list()).map(({ manifest }) => manifest.hyper.strength)
      assert.deepEqual(strengths, [0.35, 0.245])
      assert.equal(job.detail.version, 'v2')
      await leftovers(dir)
    })

    it('knows the checks of what a base can do by the names that the gate gives them', async () => {
      const { learning } = await open({ script: forgets('v1') })
      const { events } = await runOnce(learning)
      const report = events.find((event) => event.kind === 'gate')?.report
      const names = new Set(report?.checks.map(({ id }) => id))
      assert.deepEqual(
        [...ofTheBase].filter((id) => !names.has(id)),
        [],
      )
      assert.ok(report && lostTooMuch(report))
      const other = {
        ...report,
        checks: report.checks.map((check) => ({ ...check, pass: check.pass && check.id !== 'nearer' })),
      }
      assert.ok(!lostTooMuch(other), 'it learned too little as well')
    })

    const onSecond = (act: () => void): Partial<Script> => ({
      ...forgets('v1'),
      answer: (version, prompt) => {
        if (version.id === 'v2') act()
        return learned.answer(version, prompt)
      },
    })

    it('lets the refusal stand where the second try fails', async () => {
      const script = onSecond(() => {
        throw new Error('the engine fell over')
      })
      const { learning, slot, registry } = await open({ script, trainer: { alpha: 32 } })
      const { job, events } = await runOnce(learning)
      assert.deepEqual([job.state, job.detail.version, slot.version.id], ['refused', 'v1', 'v0'])
      assert.ok(events.some((event) => event.kind === 'say' && /the engine fell over/.test(event.text)))
      assert.deepEqual(
        events.flatMap((event) => (event.kind === 'gate' ? [event.report.verdict] : [])),
        ['refuse'],
      )
      assert.deepEqual(
        (await registry.list()).map(({ manifest }) => manifest.id),
        ['v1'],
      )
    })

    it('can be cancelled in the second try; what the first came to stays on record', async () => {
      const { learning, slot, registry } = await open({
        script: onSecond(() => void house?.learning.cancel('web:anna')),
        trainer: { alpha: 32 },
      })
      const { job } = await runOnce(learning)
      assert.deepEqual([job.state, slot.version.id], ['cancelled', 'v0'])
      assert.deepEqual(
        (await registry.list()).map(({ manifest }) => manifest.id),
        ['v1'],
      )
    })

    it('refuses it where that lost too much as well', async () => {
      const { learning, slot } = await open({ script: forgets('v1', 'v2'), trainer: { alpha: 32 } })
      const { job } = await runOnce(learning)
      assert.deepEqual([job.state, slot.version.id, (await learning.versions()).length], ['refused', 'v0', 3])
    })

    it('tries nothing more where the LoRA says no factor, or learned too little', async () => {
      const { learning } = await open({ script: forgets('v1') })
      assert.equal((await runOnce(learning)).job.state, 'refused')
      assert.equal((await learning.versions()).length, 2)
      await house?.[Symbol.asyncDispose]()
      const untaught: Partial<Script> = {
        score: ({ id }, _prompt, reply) => ({ logProbability: -reply.length * (id === 'v0' ? 1 : 2), tokens: 1 }),
      }
      const other = await open({ script: untaught, trainer: { alpha: 32 } })
      assert.equal((await runOnce(other.learning)).job.state, 'refused')
      assert.equal((await other.learning.versions()).length, 2)
    })
  })

  it('a held candidate serves once an admin says so', async () => {
    const { learning, slot } = await open({ script: { score: undefined } as never })
    const { job } = await runOnce(learning)
    assert.deepEqual([job.state, slot.version.id], ['held', 'v0'])
    await learning.promote('v1', 'web:admin')
    assert.equal(slot.version.id, 'v1')
  })

  it('a trainer that fails leaves no version and says why; the next run works', async () => {
    let fail = true
    const { learning, slot, registry, store } = await open({
      trainer: {
        onStep: (step) => {
          if (fail && step === 2) throw new Error('CUDA fell over')
        },
      },
    })
    const { job } = await runOnce(learning)
    assert.equal(job.state, 'failed')
    assert.deepEqual(errorOf(job).code, 'TRAINER_FAILED')
    assert.match(errorOf(job).message, /CUDA fell over/)
    assert.deepEqual([slot.version.id, await registry.list(), await store.serving.current()], ['v0', [], 'v0'])
    fail = false
    assert.equal((await runOnce(learning)).job.state, 'promoted')
  })

  it('an environment that cannot be made ends the run before anything is trained', async () => {
    const { learning, trainer } = await open({ trainer: { prepare: () => Promise.reject(new Error('no python3')) } })
    const { job } = await runOnce(learning)
    assert.equal(job.state, 'failed')
    assert.equal(trainer.jobs.length, 0)
  })

  it('refuses what was trained with another chat template than the engine serves with', async () => {
    const { learning, registry } = await open({ more: { templateSha256: 'the one that serves' } })
    const { job } = await runOnce(learning)
    assert.deepEqual([job.state, errorOf(job).code], ['failed', 'LORA_MISMATCH'])
    assert.deepEqual(await registry.list(), [])
  })

  it('can be cancelled while it trains; nothing is left half made', async () => {
    const { learning, slot, store, dir } = await open({
      trainer: {
        steps: 50,
        onStep: (step) => {
          if (step === 2) void learning.cancel('web:anna')
        },
      },
    })
    const { job } = await runOnce(learning)
    assert.equal(job.state, 'cancelled')
    assert.equal((await store.jobs.get(job.id))?.state, 'cancelled')
    assert.equal(slot.version.id, 'v0')
    assert.deepEqual(await leftovers(dir), await readdir(join(dir, 'jobs')).catch(() => []))
    assert.equal(await learning.cancel('web:anna'), false)
  })

  it('can be cancelled while the gate measures; the candidate is gone, and its number is not used again', async () => {
    let cancel: Promise<boolean> | undefined
    const { learning, slot, registry } = await open({
      script: {
        answer: ({ id }) => {
          if (id === 'v1') cancel ??= learning.cancel('web:anna')
          return { text: 'Yes.' }
        },
      },
    })
    const { job } = await runOnce(learning)
    assert.equal(job.state, 'cancelled')
    assert.equal(await cancel, true)
    assert.deepEqual([await registry.list(), slot.swapped], [[], []])
  })

  it('a LoRA that the engine ignores when it is loaded to serve does not serve', async () => {
    let measured = false
    const { learning, slot, store } = await open({
      script: {
        score: (version, _prompt, reply) => {
          const trained = version.id === 'v1' && !measured
          const tokens = reply.split(/\s+/).length
          const up = /^\d+ days \[1\]\.$/.test(reply) ? 1 : /I think/.test(reply) ? -2 : -0.02 * tokens
          return { logProbability: -2 * tokens + (trained ? up : 0), tokens }
        },
      },
    })
    const events = learning.watch()
    await learning.start('web:anna')
    for await (const event of events) if (event.kind === 'gate') measured = true
    assert.equal(slot.version.id, 'v0')
    assert.equal(await store.serving.current(), 'v0')
    const [job] = await store.jobs.list(1)
    assert.equal(job?.state, 'failed')
    assert.equal(errorOf(job as Job).code, 'SWAP_REFUSED')
  })

  it('rolls back, again and again, to what served before', async () => {
    const { learning, slot, store } = await open()
    await runOnce(learning)
    await fill(store, 65)
    await runOnce(learning, { seed: 7 })
    assert.equal(slot.version.id, 'v2')
    assert.equal(await learning.rollback('web:admin'), 'v1')
    assert.equal(await learning.rollback('web:admin'), 'v0')
    assert.equal(slot.version.id, 'v0')
    await assert.rejects(learning.rollback('web:admin'), { code: 'NOT_FOUND' })
    await learning.promote('v2', 'web:admin')
    assert.equal(await learning.rollback('web:admin'), 'v0')
    assert.equal(await store.serving.current(), 'v0')
  })

  it('puts the old version back when the promotion cannot be recorded', async () => {
    const { learning, slot, store } = await open({
      more: (whole) => ({
        store: { ...whole, serving: { ...whole.serving, set: () => Promise.reject(new Error('disk is full')) } },
      }),
    })
    const { job } = await runOnce(learning)
    assert.deepEqual([job.state, errorOf(job).code], ['failed', 'DISK_FULL'])
    assert.deepEqual(slot.swapped, ['v1', 'v0'])
    assert.equal(await store.serving.current(), slot.version.id)
  })

  it('marks the run of a dead process as failed, and starts anew', async () => {
    const { store, again, dir } = await open()
    for (const half of ['jobs/job_dead/output', 'datasets/.making-abc'])
      await mkdir(join(dir, half), { recursive: true })
    await store.jobs.start({
      id: 'job_dead',
      kind: 'train',
      state: 'running',
      by: 'x',
      startedAt: new Date(),
      detail: { seed: 1 },
    })
    await using reborn = await again()
    const dead = await store.jobs.get('job_dead')
    assert.equal(dead?.state, 'failed')
    assert.equal(dead?.detail.seed, 1)
    assert.deepEqual([await leftovers(dir), await readdir(join(dir, 'datasets'))], [['job_dead'], []])
    assert.equal((await runOnce(reborn)).job.state, 'promoted')
  })

  it('gives the checkpoints of a run that its process did not survive to the next one', async () => {
    const seen: string[][] = []
    const { store, again, dir } = await open({
      trainer: { onStep: async (_, { output }) => void seen.push(await readdir(`${output}.work`)) },
    })
    await mkdir(join(dir, 'jobs/job_dead/output.work/checkpoint-3'), { recursive: true })
    const startedAt = new Date()
    await store.jobs.start({ id: 'job_dead', kind: 'train', state: 'running', by: 'x', startedAt, detail: {} })
    await using reborn = await again()
    assert.equal((await runOnce(reborn)).job.state, 'promoted')
    assert.deepEqual(seen[0], ['checkpoint-3'])
    assert.ok(!(await readdir(join(dir, 'jobs'))).includes('unfinished'))
  })

  it('a run that does not fit its machine is refused before it starts, with what it would need', async () => {
    const { learning, trainer } = await open({ more: { trainer: small } })
    assert.match((await learning.plan()).refusal ?? '', /does not fit.*100 MB free/)
    await assert.rejects(learning.start('web:admin'), { code: 'OUT_OF_MEMORY' })
    assert.deepEqual(trainer.jobs, [])
  })

  it('shows the steps of the last run after a restart', async () => {
    const { learning, again } = await open()
    await runOnce(learning)
    await using reborn = await again()
    assert.deepEqual(reborn.steps(), learning.steps())
  })

  it("asks the operator's own golden questions too, and names a line of theirs that is wrong", async () => {
    const asked = new Set<string>()
    const { learning, dir } = await open({
      script: {
        answer: (_version, prompt) => {
          asked.add(prompt.at(-1)?.content ?? '')
          return { text: 'Miriam runs it.' }
        },
      },
    })
    const file = join(dir, 'golden.jsonl')
    await writeFile(file, '{"prompt": "Who runs the desk?", "contains": "Miriam"}\n{"prompt": "And the bar?"}\n')
    await assert.rejects(learning.start('web:anna'), { code: 'INPUT', message: /golden\.jsonl, line 2/ })
    await writeFile(file, '{"prompt": "Who runs the desk?", "contains": "Miriam"}\n')
    await runOnce(learning)
    assert.ok(asked.has('Who runs the desk?'))
  })

  it('trains nothing without the model to train from, and says what to set', async () => {
    const { learning } = await open({ more: { model: '' } })
    await assert.rejects(learning.plan(), { code: 'CONFIG', message: /HONE_TRAIN_MODEL/ })
  })
})

/** What runs leave in `jobs/`: at most their own folder with the log, never an output. */
async function leftovers(dir: string): Promise<readonly string[]> {
  const runs = await readdir(join(dir, 'jobs')).catch(() => [])
  for (const run of runs) {
    const files = await readdir(join(dir, 'jobs', run))
    assert.ok(!files.some((name) => name.startsWith('output')), files.join())
  }
  return runs
}
