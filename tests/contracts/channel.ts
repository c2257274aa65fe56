import assert from 'node:assert/strict'
import type { Channel, Inbound, Reply, ReplyEvent } from '../../src/ports/channel.ts'

/** A channel under test, and eyes to see what it shows. */
export interface ChannelHarness {
  readonly channel: Channel
  /** A message in a thread of this channel; the same name is the same event. */
  event(name: string): Inbound
  /** Everything a person sees in that thread, as text or HTML. */
  shown(): Promise<string>
  close?(): Promise<void>
}

const reply: Reply = {
  turn: 'b_1',
  text: 'Twenty-five days [1].',
  sources: [
    { number: 1, title: 'Time off - Vacation', document: 'handbook/time-off.md', text: 'Everyone gets 25 days.' },
  ],
  version: 'v1',
}

/**
 * What every channel owes the core. Call it inside a `describe`.
 *
 * @example describe('the terminal as a channel', () => channelContract(() => makeHarness()))
 */
export function channelContract(make: () => Promise<ChannelHarness>): void {
  let harness: ChannelHarness
  beforeEach(async () => {
    harness = await make()
  })
  afterEach(async () => harness.close?.())
  const deliver = (events: AsyncIterable<ReplyEvent>, name = 'first') =>
    harness.channel.deliver(harness.event(name), events)

  it('consumes the stream to its end', async () => {
    const script = scripted(whole)
    await deliver(script.events)
    assert.equal(script.ended(), true)
  })

  it('shows the reply and the title of its source', async () => {
    await deliver(scripted(whole).events)
    const shown = await harness.shown()
    assert.match(shown, /Twenty-five days/)
    assert.match(shown, /Time off - Vacation/)
  })

  it('answers with a message in the thread that was asked', async () => {
    const refs = await deliver(scripted(whole).events)
    assert.ok(refs.length > 0)
    for (const ref of refs) assert.equal(ref.thread, harness.event('first').thread)
  })

  it('shows a reply that came without deltas', async () => {
    await deliver(scripted([{ kind: 'done', reply }]).events)
    assert.match(await harness.shown(), /Twenty-five days/)
  })

  it('shows the answer without its reasons, and says where those are', async () => {
    const explanation = 'The handbook says so.'
    await deliver(scripted([{ kind: 'done', reply: { ...reply, explanation } }]).events)
    const shown = await harness.shown()
    assert.match(shown, /Twenty-five days/)
    assert.match(shown, /Why this answer|Why\?|\/why/)
  })

  it('shows an error event and does not throw', async () => {
    const script = scripted([{ kind: 'error', code: 'ENGINE_FAILED', message: 'The engine was restarted.' }])
    await deliver(script.events)
    assert.equal(script.ended(), true)
    assert.match(await harness.shown(), /The engine was restarted\./)
  })

  it('survives a stream that breaks', async () => {
    await deliver(broken())
    await deliver(scripted(whole).events, 'second')
    assert.match(await harness.shown(), /Twenty-five days/)
  })

  it('shows the same event once, however often it is delivered', async () => {
    await deliver(scripted(whole).events)
    const again = scripted(whole)
    await deliver(again.events)
    assert.equal(again.ended(), true)
    assert.equal((await harness.shown()).match(/Twenty-five days/g)?.length, 1)
  })
}

const whole: readonly ReplyEvent[] = [
  { kind: 'status', text: 'Searching' },
  ...reply.sources.map((source) => ({ kind: 'source' as const, source })),
  { kind: 'delta', text: 'Twenty-five ' },
  { kind: 'delta', text: 'days [1].' },
  { kind: 'done', reply },
]

function scripted(script: readonly ReplyEvent[]): { events: AsyncIterable<ReplyEvent>; ended: () => boolean } {
  let ended = false
  async function* events() {
    yield* script
    ended = true
  }
  return { events: events(), ended: () => ended }
}

async function* broken(): AsyncGenerator<ReplyEvent> {
  yield { kind: 'delta', text: 'Half a ' }
  throw new Error('the engine went away')
}
