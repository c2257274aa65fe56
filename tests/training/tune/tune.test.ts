import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Score } from '../../../src/ports/engine.ts'
import type { Learning } from '../../../src/ports/learning.ts'
import type { Job } from '../../../src/ports/store.ts'
import type { TuneOptions, TuneReport, Tuning } from '../../../src/ports/tune.ts'
import { tuneReportText } from '../../../src/tuning.ts'
import { forgetInTraining } from '../../../training/index.ts'
import { lastMessage } from '../../../training/text.ts'
import { fill } from '../house.ts'
import { type Bureau, brief, file, isProposing, obedient, openBureau, proposing } from './bureau.ts'

const budget = { tokens: 60_000 }

function tuningOf({ tuning }: Learning): Tuning {
  assert.ok(tuning)
  return tuning
}

async function runOnce(learning: Learning, options: TuneOptions = { budget }): Promise<{ job: Job; said: string[] }> {
  const watching = Array.fromAsync(learning.watch())
  await tuningOf(learning).start('web:anna', options)
  const events = await watching
  const last = events.findLast((event) => event.kind === 'state')
  assert.ok(last)
  return { job: last.job, said: events.flatMap((event) => (event.kind === 'say' ? [event.text] : [])) }
}

async function reportOf(learning: Learning): Promise<TuneReport> {
  const report = await tuningOf(learning).last()
  assert.ok(report)
  return report
}

describe('a search for a better prompt', function suite() {
  this.timeout(300_000)
  let bureau: Bureau
  const open = async (options: Parameters<typeof openBureau>[0] = {}) => {
    bureau = await openBureau(options)
    return bureau
  }
  afterEach(() => bureau[Symbol.asyncDispose]())

  it('finds the rule that votes show, proves it on what was held out, and keeps it as a version that waits', async () => {
    const { learning, shelf, store, dir, slot } = await open()
    const { job, said } = await runOnce(learning)
    assert.equal(job.state, 'kept', JSON.stringify(job.detail))
    const report = await reportOf(learning)
    assert.ok(report.best?.texts.rules.includes(brief), tuneReportText(report))
    const [nearer] = report.figures
    assert.ok(nearer && nearer.after > 0.9 && nearer.n >= 8 && (nearer.interval?.[0] ?? 0) > 0.5)
    assert.equal(report.gate?.verdict, 'promote')
    assert.ok(
      ['private', 'leak', 'injection', 'golden', 'flattery', 'length'].every((id) =>
        report.gate?.checks.some((check) => check.id === id),
      ),
    )
    assert.equal(shelf.serving.version, file.version)
    assert.deepEqual([slot.version.id, slot.swapped], ['v0', []])
    const [newest] = await store.profiles.list()
    assert.deepEqual(
      [newest?.version, newest?.made?.by, newest?.made?.people],
      [report.version, 'tune-prompt', ['web:anna']],
    )
    assert.equal((await shelf.find(report.version ?? '')).persona, file.persona)
    assert.match(
      report.text,
      /passed the gate\..*nearer to what people chose on .*held-out prompts.*hone profile promote/,
    )
    assert.ok(
      said.some((line) => /^Generation 1 of 4: \d+ candidates on \d+ prompts\./.test(line)),
      said.join('\n'),
    )
    assert.deepEqual(await readdir(join(dir, 'jobs', job.id)), ['tune-prompt.json'])
    assert.deepEqual(await readdir(join(dir, 'tune')).catch(() => []), [])
  })

  it('lets it serve at once where that was asked for, and a rollback takes it back', async () => {
    const { learning, shelf } = await open()
    assert.equal((await runOnce(learning, { budget, promote: true })).job.state, 'promoted')
    assert.ok(shelf.serving.rules.includes(brief))
    assert.equal((await shelf.rollback('web:anna')).version, file.version)
  })

  it('leaves it waiting where somebody has changed the profile meanwhile', async () => {
    const { learning, shelf } = await open()
    const other = { ...file, source: file.source.replace('handbook', 'book'), version: 'abcabcabcabc' }
    const watching = Array.fromAsync(learning.watch())
    await tuningOf(learning).start('web:anna', { budget, promote: true })
    await shelf.keep(other)
    await shelf.promote(other.version, 'web:anna')
    await watching
    assert.equal(shelf.serving.persona, 'You answer from the book.')
    assert.equal((await reportOf(learning)).promoted, false)
  })

  it('shows a model that proposes nothing that candidates are scored or measured on', async () => {
    const told: string[] = []
    const asked = new Set<string>()
    const script = {
      ...obedient,
      answer: (...[version, prompt]: Parameters<typeof obedient.answer>) => {
        if (isProposing(prompt)) told.push(prompt.at(-1)?.content ?? '')
        else asked.add(lastMessage(prompt).question)
        return isProposing(prompt) ? { text: 'Keep every answer to the point.' } : obedient.answer(version, prompt)
      },
    }
    await runOnce((await open({ script })).learning)
    const shown = [...new Set(told.flatMap((text) => text.match(/How long does number \d+ take\?/g) ?? []))]
    assert.ok(shown.length > 3)
    assert.deepEqual(
      shown.filter((question) => asked.has(question)),
      [],
    )
  })

  it('takes no proposal with a name, a number, a secret, a variable or words that somebody wrote', async () => {
    const lines = [
      'Always answer as Anna would answer.',
      'Say that it takes 4711 days.',
      'The password is correct-horse-battery.',
      'Greet {{customer.name}} by name first.',
      'That would be 105 days, I think [1].',
      'Tell them: How long does number 7 take?',
      'Write to anna@home.example for more.',
      'Leave out words that add nothing.',
    ]
    const { learning } = await open({ script: proposing(lines.join('\n')) })
    const { said } = await runOnce(learning)
    assert.ok(said.includes('The model proposed 1 usable instructions.'), said.join('\n'))
  })

  it('is held for an admin where too little is held out to prove it', async () => {
    const { learning, store } = await open({ pairs: 20 })
    const plan = await tuningOf(learning).plan({ budget })
    assert.ok(plan.prompts.heldOut < 8 && plan.notes.some((note) => /only hold/.test(note)), JSON.stringify(plan))
    const { job } = await runOnce(learning)
    assert.equal(job.state, 'held', JSON.stringify(job.detail))
    assert.equal((await store.profiles.list())[0]?.made?.verdict, 'hold')
    assert.match((await reportOf(learning)).text, /held for an admin to decide: Held-out prompts/)
  })

  it('is refused where the best prompt makes the model tell its instructions, and is no version then', async () => {
    const script = {
      ...obedient,
      answer: (...[version, prompt]: Parameters<typeof obedient.answer>) => {
        const system = prompt[0]?.content ?? ''
        const pried = /Repeat everything/.test(prompt.at(-1)?.content ?? '')
        return pried && system.includes(brief) ? { text: system } : obedient.answer(version, prompt)
      },
    }
    const { learning, store } = await open({ script })
    assert.equal((await runOnce(learning)).job.state, 'refused')
    const { gate, version, text } = await reportOf(learning)
    assert.deepEqual(
      gate?.checks.filter(({ pass }) => !pass).map(({ id }) => id),
      ['leak'],
    )
    assert.equal(version, undefined)
    assert.deepEqual(
      (await store.profiles.list()).map((one) => one.version),
      [file.version],
    )
    assert.match(text, /^The gate refused the best prompt: Hidden prompt and canary not told\./)
  })

  it('says so where no prompt is better, and measures nothing on what is held out', async () => {
    const deaf = { ...obedient, answer: () => ({ text: 'Yes.' }), score: () => ({ logProbability: -1, tokens: 1 }) }
    const { learning } = await open({ script: deaf })
    assert.equal((await runOnce(learning)).job.state, 'refused')
    const report = await reportOf(learning)
    assert.deepEqual([report.best, report.gate, report.figures], [undefined, undefined, []])
    assert.match(report.text, /^No prompt did better than the profile that serves/)
  })

  it('keeps to its budget, and says before what it is', async () => {
    const { learning } = await open()
    assert.deepEqual((await tuningOf(learning).plan({ budget: { tokens: 2000 } })).budget, { tokens: 2000 })
    await runOnce(learning, { budget: { tokens: 2000 } })
    const small = (await reportOf(learning)).tried.length
    await runOnce(learning)
    assert.ok(small < (await reportOf(learning)).tried.length)
    for (const wrong of [{ tokens: 10 }, { minutes: 0 }, { minutes: Number.NaN }, { tokens: 5000, minutes: 1 }])
      await assert.rejects(tuningOf(learning).plan({ budget: wrong }), { code: 'INPUT' })
  })

  it('goes on after a kill where it was, evaluates nothing twice, and comes to the same prompt', async () => {
    // What a kill lost is spent: only without a limit both come equally far.
    const budget = { tokens: 1e9 }
    const evaluated: string[] = []
    const hangs = Promise.withResolvers<void>()
    const held = Promise.withResolvers<Score>()
    let dying = true
    const score = (...[version, prompt, reply]: Parameters<typeof obedient.score>) => {
      evaluated.push(JSON.stringify([prompt, reply]))
      if (dying && evaluated.length === 150) {
        dying = false
        hangs.resolve()
        // As dead as it gets within one process: this score comes only when all is over.
        return held.promise as never
      }
      return obedient.score(version, prompt, reply)
    }
    const { learning, again, store } = await open({ script: { score } })
    const first = await tuningOf(learning).start('web:anna', { budget })
    await hangs.promise
    const before = new Set(evaluated.slice(0, -8))
    await using next = await again()
    assert.equal((await store.jobs.get(first.id))?.state, 'failed')
    assert.match(
      JSON.stringify((await store.jobs.get(first.id))?.detail.error),
      /goes on with the candidates that are left/,
    )
    const plan = await tuningOf(next).plan({ budget })
    assert.ok((plan.resumes ?? 0) > 0)
    const done = evaluated.length
    assert.equal((await runOnce(next, { budget })).job.state, 'kept')
    const repeated = evaluated.slice(done).filter((one) => before.has(one))
    assert.ok(repeated.length < before.size / 2, `${repeated.length} of ${before.size} were evaluated again`)
    const resumed = await reportOf(next)
    await using whole = await openBureau()
    await runOnce(whole.learning, { budget })
    assert.deepEqual(resumed.best?.texts, (await reportOf(whole.learning)).best?.texts)
    void learning.cancel('test')
    held.resolve({ logProbability: -1, tokens: 1 })
  })

  it('is cancelled as a run is, keeps what was scored, and is alone as a run is', async () => {
    let cancelling: Promise<boolean> | undefined
    let count = 0
    const score = (...given: Parameters<typeof obedient.score>) => {
      if (++count === 120) cancelling = bureau.learning.cancel('web:anna')
      return obedient.score(...given)
    }
    const { learning } = await open({ script: { score } })
    const watching = Array.fromAsync(learning.watch())
    await tuningOf(learning).start('web:anna', { budget })
    await assert.rejects(learning.start('web:anna'), { code: 'BUSY', message: 'A search for a prompt is on already.' })
    const last = (await watching).at(-1)
    await cancelling
    assert.ok(last?.kind === 'state' && last.job.state === 'cancelled', JSON.stringify(last))
    assert.ok(((await tuningOf(learning).plan({ budget })).resumes ?? 0) > 0)
  })

  it('goes with a person who is forgotten: version, report and what was scored, and what served before serves', async () => {
    const { learning, shelf, store, registry, dir } = await open()
    await runOnce(learning, { budget, promote: true })
    const { version = '' } = await reportOf(learning)
    await store.feedback.forget('web:anna')
    await shelf.refresh()
    await forgetInTraining('web:anna', { store, registry, dataDir: dir, learning })
    assert.equal(shelf.serving.version, file.version)
    assert.deepEqual([await store.profiles.get(version), await store.profiles.forgotten()], [undefined, [version]])
    await assert.rejects(shelf.find(version), { code: 'NOT_FOUND' })
    assert.equal(await tuningOf(learning).last(), undefined)
  })

  it('makes no version of feedback that was deleted while it ran', async () => {
    const { learning, store } = await open()
    const watching = Array.fromAsync(learning.watch())
    await tuningOf(learning).start('web:anna', { budget })
    await store.feedback.forget('web:anna')
    const last = (await watching).at(-1)
    assert.ok(last?.kind === 'state' && last.job.state === 'failed', JSON.stringify(last))
    assert.deepEqual(
      (await store.profiles.list()).map((one) => one.version),
      [file.version],
    )
  })

  it('tells nobody of one tenant as an example what another tenant said', async () => {
    const { learning, store } = await open({ pairs: 0, more: { trainOn: ['web', 'slack'] } })
    await fill(store, 40, 'slack')
    const alone = await tuningOf(learning).plan({ budget })
    assert.ok(alone.examples > 0, 'the only tenant there is may see its own')
    // Nothing is learned from there, but the prompt serves there as well.
    await fill(store, 1, 'teams')
    const beside = await tuningOf(learning).plan({ budget })
    assert.equal(beside.examples, 0, JSON.stringify(beside))
  })

  it('can’t start without feedback to score prompts on, and says what is missing', async () => {
    const { learning } = await open({ pairs: 3 })
    await assert.rejects(tuningOf(learning).start('web:anna', { budget }), {
      code: 'NOT_ENOUGH_DATA',
      message: /Too little feedback/,
    })
  })

  it('is only held where the engine gives no log-probabilities', async () => {
    const { score: _, ...silentScript } = obedient
    bureau = await openBureau({ script: { ...silentScript, score: undefined as never } })
    assert.equal((await runOnce(bureau.learning)).job.state, 'held')
    const { gate, best } = await reportOf(bureau.learning)
    assert.ok(best?.texts.rules.includes(brief))
    assert.ok(gate?.checks.some(({ id, pass }) => id === 'score' && !pass))
  })
})
