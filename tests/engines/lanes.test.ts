import assert from 'node:assert/strict'
import { createLanes } from '../../src/engines/llama/lanes.ts'
import { createDecoder } from '../../src/engines/llama/text.ts'

const never = new AbortController().signal

describe('lanes', () => {
  it('give a key the sequence that it had', async () => {
    const lanes = createLanes(['a', 'b', 'c'])
    const first = await lanes.take('one', never)
    const second = await lanes.take('two', never)
    assert.ok(first && second)
    lanes.give(second)
    lanes.give(first)
    assert.equal((await lanes.take('two', never))?.sequence, second.sequence)
    assert.equal((await lanes.take('one', never))?.sequence, first.sequence)
  })

  it('give a new key the sequence that was unused for the longest time', async () => {
    const lanes = createLanes(['a', 'b'])
    const first = await lanes.take('one', never)
    const second = await lanes.take('two', never)
    assert.ok(first && second)
    lanes.give(first)
    lanes.give(second)
    const again = await lanes.take('one', never)
    assert.ok(again)
    lanes.give(again)
    assert.equal((await lanes.take('three', never))?.sequence, second.sequence)
  })

  it('serve those who wait in the order they came, without those who left', async () => {
    const lanes = createLanes(['a'])
    const held = await lanes.take(undefined, never)
    assert.ok(held)
    const leaving = new AbortController()
    const order: string[] = []
    const wait = (name: string, signal: AbortSignal) =>
      lanes.take(name, signal).then((lane) => {
        order.push(lane ? name : `${name} left`)
        if (lane) lanes.give(lane)
      })
    const all = [wait('one', never), wait('two', leaving.signal), wait('three', never)]
    leaving.abort()
    lanes.give(held)
    await Promise.all(all)
    assert.deepEqual(order, ['two left', 'one', 'three'])
    assert.equal(await lanes.take('late', AbortSignal.abort()), undefined)
  })
})

describe('a decoder', () => {
  const bytes = (tokens: readonly number[]) => Buffer.from(tokens).toString()

  it('holds a character back until all of its bytes are there', () => {
    const decoder = createDecoder(bytes, [])
    const pieces = [...Buffer.from('aé€😀b')].map((byte) => decoder.push(byte))
    assert.deepEqual(
      pieces.filter((piece) => piece !== ''),
      ['a', 'é', '€', '😀', 'b'],
    )
  })

  it('gives bytes up that are no character', () => {
    const decoder = createDecoder(bytes, [])
    const text = [0xff, 0xff, 0xff, 0xff, 65].map((byte) => decoder.push(byte)).join('')
    assert.ok(text.endsWith('A') && text.includes('\uFFFD'))
  })
})
