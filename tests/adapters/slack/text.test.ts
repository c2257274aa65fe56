import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseMessage } from '../../../adapters/slack/parse/event.ts'
import {
  parseCommand,
  parseCorrection,
  parsePress,
  parseShortcut,
  turnIn,
} from '../../../adapters/slack/parse/interaction.ts'
import { forSomeoneElse, mentions, plainText } from '../../../adapters/slack/parse/text.ts'
import { feedbackBlocks, plainReplyBlocks, sourceBlocks } from '../../../adapters/slack/render/reply.ts'
import { mrkdwn, safeText, settled } from '../../../adapters/slack/render/text.ts'
import { cutAt, openFence } from '../../../adapters/slack/surface.ts'

describe('what people write in Slack', () => {
  it('reads as it looks on the screen', () => {
    assert.equal(
      plainText('<@UBOT> see <https://a.example|the page> &amp; tell <@U2|ben>', 'UBOT'),
      'see the page (https://a.example) & tell @ben',
    )
    assert.equal(
      plainText('<!channel> <#C1|general> <!subteam^S1|@team> <mailto:a@b.example|a@b.example>'),
      '@channel #general @team a@b.example',
    )
    assert.equal(plainText('1 &lt; 2 &amp;&amp; &amp;lt;'), '1 < 2 && &lt;')
  })

  it('is for the bot when it calls it, and not when it begins by calling another', () => {
    assert.ok(mentions('hi <@UBOT|hone>', 'UBOT'))
    assert.ok(!mentions('hi <@UBOTH>', 'UBOT'))
    assert.ok(forSomeoneElse('<@U2> you?', 'UBOT'))
    assert.ok(!forSomeoneElse('<@UBOT> you?', 'UBOT'))
  })
})

describe('what the bot writes in Slack', () => {
  const pieces = fc.array(
    fc.constantFrom(
      'word ',
      'a',
      ' ',
      '\n',
      '\n\n',
      '`',
      '```',
      '```\n',
      '[',
      ']',
      '(',
      ')',
      '<',
      '!',
      '@',
      'here',
      'channel',
      'https://evil.example/',
      'https://docs.example/x',
      '**',
      '.',
    ),
    { maxLength: 40 },
  )

  it('rings nobody and leads nowhere it must not, whatever it is', () => {
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = safeText(parts.join(''), new Set(['docs.example']))
        assert.doesNotMatch(text, /<[!@#]/)
        assert.doesNotMatch(text, /\]\(https:\/\/evil/)
      }),
    )
  })

  it('hides nothing in labels, escapes, odd code or capitals', () => {
    const hosts = new Set(['docs.example'])
    for (const text of [
      '[<!channel>](https://evil.example/x)',
      '[<!channel>](https://docs.example/x)',
      '[a](https://docs.example/<!channel>)',
    ])
      assert.doesNotMatch(safeText(text, hosts), /<[!@#]/, text)
    for (const text of [
      '[https://evil.example/x](y)',
      'See ``` https://evil.example/x',
      '\\`https://evil.example/x\\`',
      '_https://evil.example/x_',
      'HTTPS://evil.example/x',
    ])
      assert.match(safeText(text, hosts), /`https:\/\/evil\.example\/x[_\\]?`/i, text)
    assert.equal(mrkdwn('`[x](!channel)`'), '`[x](!channel)`')
  })

  it('leads nowhere by other protocols, nor by addresses without one', () => {
    const hosts = new Set(['docs.example'])
    for (const address of ['javascript://docs.example/%0aopen', 'slack://docs.example/x', 'file://docs.example/x'])
      assert.equal(safeText(`[a](${address})`, hosts), `a (\`${address}\`)`)
    assert.equal(
      safeText('see www.evil.example?q=1 or evil.example/x?q=1'),
      'see `www.evil.example?q=1` or `evil.example/x?q=1`',
    )
    assert.equal(safeText('Read leave.md, and/or ask i.e. 1.5/2.5'), 'Read leave.md, and/or ask i.e. 1.5/2.5')
  })

  it('is left as it is where it is a table, a list, code or emphasis', () => {
    const text =
      '# Leave\n\n| days | who |\n| --- | --- |\n| 25 | all |\n\n1. **one**\n   - _two_ ~~three~~\n\n```ts\nconst a = 1 // @here\n```\n'
    assert.equal(safeText(text), text)
    assert.equal(settled(text), text.length)
  })

  it('lets no stray backtick take the code off an address', () => {
    for (const text of ['a ` b https://evil.example/x', '`` https://evil.example/x `', 'a\\` https://evil.example/x']) {
      const shown = safeText(text)
      const before = shown.slice(0, shown.indexOf('https:'))
      assert.equal(before.split('`').length, 2, shown)
    }
    assert.equal(safeText('`a` and `b`'), '`a` and `b`')
  })

  it('grows: what was shown of prose is never taken back', () => {
    const prose = fc.array(
      fc.constantFrom(
        'word ',
        'a',
        ' ',
        '\n',
        '`code` ',
        '[label](https://evil.example/x) ',
        'https://evil.example/y ',
        '<!here> ',
        '@channel ',
        '```\ncode <!x>\n```\n',
      ),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(prose, (parts) => {
        const whole = parts.join('')
        let before = ''
        for (let end = 1; end <= whole.length; end++) {
          const text = whole.slice(0, end)
          const shown = safeText(text.slice(0, settled(text)))
          assert.ok(shown.startsWith(before), JSON.stringify({ before, shown }))
          before = shown
        }
        assert.ok(safeText(whole).startsWith(before))
      }),
    )
  })

  it('is cut between paragraphs, and knows whether code is open there', () => {
    const text = `${'a'.repeat(10_000)}\n\n${'b'.repeat(5000)}`
    assert.equal(cutAt(text, 0), 10_002)
    assert.equal(openFence('x\n```ts\ncode\n'), '```ts')
    assert.equal(openFence('x\n```ts\ncode\n```\n'), '')
  })

  it('leads to the pages of its sources, whatever their addresses hold', () => {
    const source = { number: 1, title: 'A|b <c>', document: 'd', text: 't' }
    const shown = (url: string) => JSON.stringify(sourceBlocks([{ ...source, url }]))
    assert.match(
      shown('https://a.example/x|y><!here>?a=1&b'),
      /<https:\/\/a\.example\/x%7Cy%3E%3C!here%3E\?a=1&amp;b\|A¦b &lt;c&gt;>/,
    )
    for (const url of ['javascript:alert(1)', 'leave.md', `https://a.example/${'x'.repeat(3000)}`])
      assert.match(shown(url), /\[1\] A¦b &lt;c&gt;"/, url)
    const many = Array.from({ length: 40 }, (_, n) => ({
      ...source,
      number: n,
      url: `https://a.example/${'y'.repeat(200)}`,
    }))
    const [block] = sourceBlocks(many)
    assert.match(JSON.stringify(block), /y\|A¦b &lt;c&gt;>"/)
  })

  it('falls back to the older markup', () => {
    assert.equal(
      mrkdwn('# Title\n- **bold** [page](https://a.example) <b>'),
      '*Title*\n• *bold* <https://a.example|page> &lt;b&gt;',
    )
    assert.equal(mrkdwn('*so*, ~~not~~ **thus**; 2 * 3 * 4'), '_so_, ~not~ *thus*; 2 * 3 * 4')
  })

  it('keeps code as it is in the older markup, and the columns of tables', () => {
    const code = '```\n# no title\n- no *list* [a](https://a.example)\n```'
    assert.equal(mrkdwn(code.replace('```', '```sh')), code)
    assert.equal(mrkdwn('`**a**` <'), '`**a**` &lt;')
    const drawn = '```\n| a | b |\n| 1 | 2 |\n```'
    assert.equal(mrkdwn(drawn), drawn)
    assert.equal(
      mrkdwn('So:\n\n| a | b |\n| --- | --- |\n| 1 | 2 |'),
      'So:\n\n```\n| a | b |\n| --- | --- |\n| 1 | 2 |\n```\n',
    )
  })

  it('carries its turn in its own buttons', () => {
    assert.equal(turnIn(feedbackBlocks('b_1')), 'b_1')
    assert.equal(turnIn(plainReplyBlocks('b_1')), 'b_1')
    assert.equal(turnIn([{ type: 'section', text: { type: 'mrkdwn', text: 'hone:up' } }]), undefined)
  })
})

describe('payloads from Slack', () => {
  it('of any shape are parsed or nothing, and never throw', () => {
    fc.assert(
      fc.property(fc.anything(), (body) => {
        for (const parse of [parsePress, parseCorrection, parseShortcut, parseCommand]) assert.equal(parse(body), null)
        assert.equal(parseMessage(body, 'UBOT'), null)
        assert.equal(parseMessage({ team_id: 'T1', event: body }, 'UBOT'), null)
      }),
    )
  })
})
