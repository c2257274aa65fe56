import assert from 'node:assert/strict'
import { type Connector, openConnector, outboundToken } from '../../fakes/teams/connector.ts'

/** The local Bot Connector must refuse what Teams refuses, or the tests that run against it say nothing. */
describe('the local Bot Connector', () => {
  let connector: Connector
  let time: number
  beforeEach(async () => {
    time = 0
    connector = await openConnector({ now: () => time })
  })
  afterEach(() => connector[Symbol.asyncDispose]())

  const post = async (activity: object, token = outboundToken): Promise<[number, string]> => {
    const response = await fetch(`${connector.url}v3/conversations/a%3A1/activities`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(activity),
    })
    return [response.status, await response.text()]
  }
  const part = (text: string, info: object, type = 'typing') => ({
    type,
    text,
    entities: [{ type: 'streaminfo', ...info }],
  })
  const started = async (text = 'A brown'): Promise<string> => {
    const [status, body] = await post(part(text, { streamType: 'streaming', streamSequence: 1 }))
    assert.equal(status, 201)
    time += 1500
    return JSON.parse(body).id
  }
  const refuses = async (activity: object, status: number, why: RegExp) => {
    const [got, body] = await post(activity)
    assert.equal(got, status, body)
    assert.match(body, why)
  }

  it('takes a stream that goes by the rules', async () => {
    const streamId = await started()
    const more = part('A brown fox', { streamType: 'streaming', streamSequence: 2, streamId })
    assert.equal((await post(more))[0], 202)
    time += 1500
    assert.equal((await post(part('A brown fox.', { streamType: 'final', streamId }, 'message')))[0], 202)
    assert.equal(connector.messages('a:1')[0]?.activity.text, 'A brown fox.')
  })

  it('refuses a wrong sequence, another beginning, haste and a second stream', async () => {
    await refuses(part('A', { streamType: 'streaming', streamSequence: 2 }), 400, /must be 1/)
    const streamId = await started()
    const next = { streamType: 'streaming', streamSequence: 2, streamId }
    await refuses(part('A brown fox', { ...next, streamSequence: 1 }), 400, /count up/)
    await refuses(part('Hello', next), 403, /previously streamed/)
    await refuses(part('New', { streamType: 'streaming', streamSequence: 1 }), 403, /One stream/)
    assert.equal((await post(part('A brown fox', next)))[0], 202)
    await refuses(part('A brown fox', { ...next, streamSequence: 3 }), 429, /quota/)
  })

  it('refuses to go on after two minutes, after Stop, and after the end', async () => {
    const streamId = await started()
    const next = part('A brown fox', { streamType: 'streaming', streamSequence: 2, streamId })
    time += 119_000
    await refuses(next, 403, /exceeded streaming time/)
    connector.stop('a:1')
    await refuses(next, 403, /canceled by user/)
  })

  it('refuses labels, thumbs and attachments before the last message, and too many calls', async () => {
    const early = part('A', { streamType: 'streaming', streamSequence: 1 })
    const ai = { type: 'https://schema.org/Message', '@type': 'Message' }
    await refuses({ ...early, entities: [...early.entities, ai] }, 400, /Entities/)
    await refuses({ ...early, attachments: [{}] }, 400, /Attachments/)
    await refuses({ ...early, channelData: { feedbackLoop: { type: 'default' } } }, 400, /Feedback/)
    await refuses({ type: 'message', text: 'x', entities: [ai] }, 400, /Bad AI entity/)
    assert.equal((await post({ type: 'message', text: 'x' }, 'stolen'))[0], 401)
    for (let n = 0; n < 2; n++) await post({ type: 'message', text: 'x' })
    await refuses({ type: 'message', text: 'x' }, 429, /quota/)
  })
})
