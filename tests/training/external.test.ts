import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { silent } from '../../src/log.ts'
import type { TrainEvent } from '../../src/ports/trainer.ts'
import { externalTrainer } from '../../training/external.ts'
import { tinyFolder, tinyJob, trainingPython } from './child.ts'

const script = join(import.meta.dirname, '../fixtures/own_trainer.py')
const never = new AbortController().signal

describe("the operator's own trainer", function () {
  this.timeout(600_000)
  let folder: Awaited<ReturnType<typeof tinyFolder>>
  before(async () => {
    folder = await tinyFolder()
  })
  after(() => folder[Symbol.asyncDispose]())

  /** What it tells when the script leaves a result of this kind. */
  async function run(kind: string, signal = never): Promise<readonly TrainEvent[]> {
    const command = `OWN_TRAINER=${kind} '${await trainingPython()}' '${script}'`
    const trainer = externalTrainer({ command, dataDir: folder.path, log: silent })
    return Array.fromAsync(trainer.train(tinyJob(folder.path, kind), signal))
  }

  it('gets rows and a folder; its steps are told, and the LoRA that it leaves is converted', async () => {
    const events = await run('peft')
    assert.deepEqual(
      events.filter(({ type }) => type === 'step'),
      [{ type: 'step', step: 1, of: 1, loss: 1 / 8 }],
    )
    const done = events.at(-1)
    assert.ok(done?.type === 'done' && done.peft)
    assert.ok((await stat(done.gguf ?? '')).size > 1000)
    assert.match(done.templateSha256, /^[0-9a-f]{64}$/)
    assert.deepEqual(
      (await readdir(folder.path)).filter((name) => name.startsWith('peft.')),
      [],
    )
  })

  it('ends the run with its reason when it fails, leaves nothing, or leaves a LoRA of another model', async () => {
    const cases = { fails: /has no licence/, nothing: /must hold a PEFT folder/, foreign: /made for another model/ }
    for (const [kind, message] of Object.entries(cases)) {
      await assert.rejects(run(kind), { code: 'TRAINER_FAILED', message })
      await assert.rejects(stat(join(folder.path, kind)), { code: 'ENOENT' })
    }
  })

  it('publishes nothing that diverged', async () => {
    await assert.rejects(run('diverged'), { message: /is not finite/ })
  })
})
