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
import { feedbackBlocks, plainReplyBlocks } from '../../../adapters/slack/render/reply.ts'
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

  it('falls back to the older markup', () => {
    assert.equal(
      mrkdwn('# Title\n- **bold** [page](https://a.example) <b>'),
      '*Title*\n• *bold* <https://a.example|page> &lt;b&gt;',
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
