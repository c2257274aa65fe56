import assert from 'node:assert/strict'
import fc from 'fast-check'
import { healed, splitText } from '../../../adapters/shared/split.ts'

const words = (text: string) => text.replace(/\s+/g, '')
const fences = (text: string) => text.split('\n').filter((line) => /^\s*```/.test(line)).length

const line = fc.string({ unit: fc.constantFrom('a', 'é', '😀', ' ', '.', '*', '_', '`', '[', ']', '('), maxLength: 90 })
const paragraph = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\n'))
const plain = fc.string({ unit: fc.constantFrom('a', 'é', '😀', ' ', '.'), maxLength: 300 })
const code = fc
  .array(fc.string({ unit: fc.constantFrom('x', ' ', '=', '1', '😀'), maxLength: 60 }), { maxLength: 12 })
  .map((lines) => ['```ts', ...lines, '```'].join('\n'))
const markdown = fc.array(fc.oneof(plain, code), { maxLength: 6 }).map((blocks) => blocks.join('\n\n'))

describe('splitting a text into messages', () => {
  it('leaves a text that fits as it is', () => {
    assert.deepEqual(splitText('One.\n\nTwo.', 20), ['One.\n\nTwo.'])
  })
  it('cuts between paragraphs before it cuts within one', () => {
    assert.deepEqual(splitText('One is short.\n\nTwo is longer.', 20), ['One is short.', 'Two is longer.'])
  })
  it('cuts a paragraph that is too long between lines, sentences and words', () => {
    assert.deepEqual(splitText('first line\nsecond line', 12), ['first line', 'second line'])
    assert.deepEqual(splitText('One is. Two is. Three is.', 16), ['One is. Two is.', 'Three is.'])
    assert.deepEqual(splitText('alpha beta gamma', 11), ['alpha beta', 'gamma'])
  })
  it('keeps a code block that fits in one message', () => {
    const block = '```ts\nconst a = 1\n\nconst b = 2\n```'
    assert.deepEqual(splitText(`Some words before it.\n\n${block}`, 45), ['Some words before it.', block])
  })
  it('closes a longer code block and opens it again', () => {
    const parts = splitText(`\`\`\`ts\n${'let x = 1\n'.repeat(12)}\`\`\``, 60)
    assert.ok(parts.length > 1)
    for (const part of parts) assert.match(part, /^```ts\n[\s\S]+\n```$/)
  })
  it('says nothing for nothing', () => assert.deepEqual(splitText('\n \n', 10), []))

  it('never makes a part too long, empty, or with an open code block', () => {
    fc.assert(
      fc.property(markdown, fc.integer({ min: 40, max: 200 }), (text, limit) => {
        for (const part of splitText(text, limit)) {
          assert.ok(part.length <= limit && part.trim() !== '')
          assert.equal(fences(part) % 2, 0)
        }
      }),
    )
  })
  it('loses and doubles no word, and breaks no character', () => {
    fc.assert(
      fc.property(fc.array(paragraph), fc.integer({ min: 40, max: 200 }), (blocks, limit) => {
        const text = blocks.join('\n\n').replaceAll('```', '')
        const parts = splitText(text, limit)
        assert.equal(words(parts.join('')), words(text))
        for (const part of parts) assert.ok(part.isWellFormed())
      }),
    )
  })
})

describe('healing a text that is still growing', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['Use **bo', 'Use **bo**'],
    ['Use **bold *and', 'Use **bold *and***'],
    ['Call `run', 'Call `run`'],
    ['A snake_case word', 'A snake_case word'],
    ['Two * three', 'Two * three'],
    ['Dangling **', 'Dangling'],
    ['See [the page](https://exa', 'See the page'],
    ['Cited [1]', 'Cited [1]'],
    ['```ts\nlet a', '```ts\nlet a\n```'],
    ['```ts\nlet a\n``', '```ts\nlet a\n```'],
    ['Text\n\n```', 'Text'],
    ['~~~\na\n~~~', '~~~\na\n~~~'],
  ]
  for (const [given, wanted] of cases) {
    it(`shows ${JSON.stringify(given)} as ${JSON.stringify(wanted)}`, () => assert.equal(healed(given), wanted))
  }
  it('leaves no code block open, wherever the text ends', () => {
    fc.assert(
      fc.property(markdown, fc.nat(), (text, at) => {
        assert.equal(fences(healed(text.slice(0, at % (text.length + 1)))) % 2, 0)
      }),
    )
  })
  it('changes nothing the second time', () => {
    const word = fc.constantFrom('one', '**two**', '*three*', '`four`', '~~five~~', '[six](https://a.b)', 'seven [1].')
    const text = fc.array(word).map((all) => all.join(' '))
    fc.assert(
      fc.property(text, fc.nat(), (whole, at) => {
        const once = healed(whole.slice(0, at % (whole.length + 1)))
        assert.equal(healed(once), once)
      }),
    )
  })
  it('changes nothing that is whole', () => {
    fc.assert(fc.property(markdown, (text) => assert.equal(healed(text.trimEnd()), text.trimEnd())))
  })
})
