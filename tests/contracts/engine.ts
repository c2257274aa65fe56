import assert from 'node:assert/strict'
import { z } from 'zod'
import type { ChatMessage, Delta, Engine, GenerateOptions, Usage } from '../../src/ports/engine.ts'

export interface EngineContract {
  /** Makes a fresh engine; the suite disposes it. */
  open(): Promise<Engine>
  /** A prompt that it answers with at least four tokens. */
  readonly prompt?: readonly ChatMessage[]
}

const greeting: readonly ChatMessage[] = [
  { role: 'system', content: 'You answer briefly.' },
  { role: 'user', content: 'one two three four five six seven eight' },
]

/**
 * The tests that every engine must pass; capabilities that an engine lacks are skipped.
 *
 * @example engineContract('echo', { open: async () => echo() })
 */
export function engineContract(name: string, { open, prompt = greeting }: EngineContract): void {
  describe(`${name} as an engine`, () => {
    let engine: Engine
    before(async () => {
      engine = await open()
    })
    after(async () => {
      await engine[Symbol.asyncDispose]()
    })
    generation(() => engine, prompt)
    interruption(() => engine, prompt)
    measures(() => engine, prompt)
    forms(() => engine, prompt)

    it('may be disposed twice', async () => {
      const other = await open()
      await other[Symbol.asyncDispose]()
      await other[Symbol.asyncDispose]()
    })
  })
}

function generation(engine: () => Engine, prompt: readonly ChatMessage[]): void {
  it('streams text and then exactly one end', async () => {
    const { deltas, text } = await run(engine(), prompt, { maxTokens: 16 })
    assert.equal(deltas.filter((delta) => delta.kind === 'end').length, 1)
    assert.equal(deltas.at(-1)?.kind, 'end')
    assert.ok(text.length > 0)
  })

  it('never streams an empty piece of text', async () => {
    const { deltas } = await run(engine(), prompt, { maxTokens: 16 })
    for (const delta of deltas) if (delta.kind === 'text') assert.notEqual(delta.text, '')
  })

  it('counts tokens in whole numbers that agree with each other', async () => {
    const { usage } = await run(engine(), prompt, { maxTokens: 16 })
    for (const count of [usage.prompt, usage.evaluated, usage.completion]) {
      assert.ok(Number.isInteger(count) && count >= 0, `${count} is no count`)
    }
    assert.ok(usage.evaluated <= usage.prompt)
    assert.ok(usage.prompt > 0 && usage.completion > 0)
  })

  it('ends with reason length at maxTokens', async () => {
    const { reason, usage } = await run(engine(), prompt, { maxTokens: 2, temperature: 0 })
    assert.equal(reason, 'length')
    assert.ok(usage.completion <= 2)
  })

  it('says the same thing twice when greedy', async () => {
    const first = await run(engine(), prompt, { maxTokens: 12, temperature: 0 })
    const second = await run(engine(), prompt, { maxTokens: 12, temperature: 0 })
    assert.equal(second.text, first.text)
  })

  it('says the same thing twice for the same seed', async () => {
    const options = { maxTokens: 12, temperature: 1, topP: 0.9, seed: 7 }
    assert.equal((await run(engine(), prompt, options)).text, (await run(engine(), prompt, options)).text)
  })

  it('keeps generations that run at the same time apart', async () => {
    const prompts = ['alpha beta gamma delta', 'one two three four', 'red green blue white'].map(ask)
    const alone: string[] = []
    for (const each of prompts) alone.push((await run(engine(), each, { maxTokens: 8, temperature: 0 })).text)
    const together = await Promise.all(prompts.map((each) => run(engine(), each, { maxTokens: 8, temperature: 0 })))
    assert.deepEqual(
      together.map((reply) => reply.text),
      alone,
    )
  })
}

function interruption(engine: () => Engine, prompt: readonly ChatMessage[]): void {
  it('ends with reason aborted, without text, when the signal was aborted before', async () => {
    const { reason, text } = await run(engine(), prompt, { signal: AbortSignal.abort() })
    assert.equal(reason, 'aborted')
    assert.equal(text, '')
  })

  it('ends with reason aborted, and throws nothing, when aborted midway', async () => {
    const stop = new AbortController()
    const deltas: Delta[] = []
    for await (const delta of engine().generate(prompt, { maxTokens: 400, signal: stop.signal, temperature: 0 })) {
      deltas.push(delta)
      stop.abort()
    }
    const end = deltas.at(-1)
    assert.ok(end?.kind === 'end')
    assert.equal(deltas.filter((delta) => delta.kind === 'end').length, 1)
    assert.equal(end.reason, 'aborted')
  })

  it('is ready for the next generation after a reader left early', async () => {
    for await (const _ of engine().generate(prompt, { maxTokens: 400 })) break
    const { text } = await run(engine(), prompt, { maxTokens: 4 })
    assert.ok(text.length > 0)
  })
}

function measures(engine: () => Engine, prompt: readonly ChatMessage[]): void {
  it('says how much fits', () => {
    assert.ok(Number.isInteger(engine().contextTokens) && engine().contextTokens > 0)
    assert.notEqual(engine().version.id, '')
  })

  it('counts more tokens in a longer prompt', async function counting() {
    const { countTokens } = engine()
    if (!countTokens) return this.skip()
    const short = await engine().countTokens?.(prompt)
    const long = await engine().countTokens?.([...prompt, { role: 'user', content: 'and some more words' }])
    assert.ok(short !== undefined && long !== undefined && short > 0 && long > short)
  })

  it('scores a reply with a repeatable log-probability', async function scoring() {
    if (!engine().score) return this.skip()
    const first = await engine().score?.(prompt, 'six seven')
    const second = await engine().score?.(prompt, 'six seven')
    assert.ok(first && second && first.tokens >= 2)
    assert.ok(Number.isFinite(first.logProbability) && first.logProbability <= 0)
    assert.equal(second.tokens, first.tokens)
    assert.ok(Math.abs(second.logProbability - first.logProbability) < 0.02 * first.tokens)
  })

  it('scores plain text for an empty prompt', async function plain() {
    if (!engine().score) return this.skip()
    const score = await engine().score?.([], 'one two three four')
    assert.ok(score && score.tokens > 0 && Number.isFinite(score.logProbability) && score.logProbability <= 0)
  })

  it('embeds texts as repeatable unit vectors, in order', async function embedding() {
    if (!engine().embed) return this.skip()
    const vectors = (await engine().embed?.(['a red house', 'a blue car', 'a red house'])) ?? []
    assert.equal(vectors.length, 3)
    for (const vector of vectors) assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-3)
    assert.deepEqual(vectors[2], vectors[0])
    assert.notDeepEqual(vectors[1], vectors[0])
  })
}

const form = {
  type: 'object',
  properties: {
    urgent: { type: 'boolean' },
    kind: { enum: ['billing', 'bug', 'other'] },
    people: { type: 'integer' },
    due: { type: 'string', format: 'date' },
    words: { type: 'array', items: { type: 'string', maxLength: 8 }, maxItems: 3 },
    where: {
      type: 'object',
      properties: { room: { oneOf: [{ type: 'number' }, { type: 'null' }] } },
      required: ['room'],
    },
  },
  required: ['urgent', 'kind', 'people', 'due', 'words', 'where'],
  additionalProperties: false,
} as const
const shape = z.strictObject({
  urgent: z.boolean(),
  kind: z.enum(form.properties.kind.enum),
  people: z.int(),
  due: z.string().regex(/^\d{4}-\d\d-\d\d$/),
  words: z.array(z.string().refine((word) => [...word].length <= 8)).max(3),
  where: z.strictObject({ room: z.number().nullable() }),
})

function forms(engine: () => Engine, prompt: readonly ChatMessage[]): void {
  it('fills in a form so that it fits its schema, however hot it samples', async function filling() {
    if (!engine().fill) return this.skip()
    for (let seed = 1; seed <= 5; seed++) {
      const filled = await engine().fill?.(prompt, form, { seed, temperature: 1.5, maxTokens: 400 })
      shape.parse(filled?.value)
      assert.ok(filled && filled.usage.completion > 0 && filled.usage.evaluated <= filled.usage.prompt)
    }
  })

  it('says so when the form did not become whole, or was stopped', async function cutting() {
    if (!engine().fill) return this.skip()
    await assert.rejects(async () => engine().fill?.(prompt, form, { maxTokens: 2 }), { code: 'ENGINE_FAILED' })
    const signal = AbortSignal.abort()
    await assert.rejects(async () => engine().fill?.(prompt, form, { signal }), { code: 'CANCELLED' })
  })
}

/** A prompt of one user message. */
export function ask(content: string): readonly ChatMessage[] {
  return [{ role: 'user', content }]
}

export interface Run {
  readonly deltas: readonly Delta[]
  readonly text: string
  readonly reason: 'stop' | 'length' | 'aborted'
  readonly usage: Usage
}

/** Reads a generation to its end. */
export async function run(engine: Engine, prompt: readonly ChatMessage[], options?: GenerateOptions): Promise<Run> {
  const deltas: Delta[] = []
  for await (const delta of engine.generate(prompt, options)) deltas.push(delta)
  const end = deltas.at(-1)
  assert.ok(end?.kind === 'end', 'a generation must end with an end delta')
  const text = deltas.map((delta) => (delta.kind === 'text' ? delta.text : '')).join('')
  return { deltas, text, reason: end.reason, usage: end.usage }
}
