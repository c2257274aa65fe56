import assert from 'node:assert/strict'
import fc from 'fast-check'
import { redact, redactRow } from '../../training/redact.ts'
import { loneRow, pairRow } from './rows.ts'

describe('personal data', () => {
  it('is told by its form', () => {
    const said = 'I am anna.b@mail.example, +49 30 1234567 or 030 123 45 67, IBAN DE89 3704 0044 0532 0130 00.'
    assert.equal(redact(said, ''), 'I am [email], [phone] or [phone], IBAN [IBAN].')
  })

  it('is no date, time, amount, version or citation', () => {
    const plain = 'On 2026-05-01, 01.05.2026 or 05-01-2026 at 09:00 it cost 1,234.50 [1], order 4711, version 0.26.1.'
    assert.equal(redact(plain, ''), plain)
  })

  it('goes out of the question and the replies, and stays where a passage says it', () => {
    const content =
      '[1] Help desk\nWrite to desk@work.example.\n\nNearest:\nWrite to desk@work.example. [1]\n\nI am anna@mail.example, whom do I ask?'
    const row = pairRow(1, {
      prompt: [
        { role: 'system', content: 'Call 030 1234567 in an emergency.' },
        { role: 'user', content },
      ],
      chosen: 'Write to desk@work.example [1] from anna@mail.example, or call 030 1234567.',
      rejected: 'Call 0151 23456789.',
    })
    const { prompt, chosen, rejected, id } = redactRow(row)
    assert.equal(prompt[1]?.content, content.replace('anna@mail.example', '[email]'))
    assert.deepEqual(prompt[0], row.prompt[0])
    assert.equal(chosen, 'Write to desk@work.example [1] from [email], or call 030 1234567.')
    assert.deepEqual([rejected, id], ['Call [phone].', 'pair_1'])
  })

  it('goes out of the values of variables too, which are told before the passages', () => {
    const told = (mail: string) =>
      `<facts>\nowner: ${mail}\n</facts>\n\n<tone>\nBe brief.\n</tone>\n\n[1] Help desk\ndesk@work.example\n\nWho?`
    const row = pairRow(1, { prompt: [{ role: 'user', content: told('anna@mail.example') }] })
    assert.equal(redactRow(row).prompt[0]?.content, told('[email]'))
  })

  it('goes out of what stands around blocks behind the question, and of a reply with its explanation', () => {
    const asked = (mail: string) =>
      `[1] Help desk\ndesk@work.example\n\nI am ${mail}, who helps?\n\n<results>\nwho: ${mail}\n</results>\n\n<explain>\nWhy.\n</explain>`
    const prompt = [{ role: 'user', content: asked('anna@mail.example') }] as const
    const row = pairRow(1, { prompt, explained: { prompt, completion: 'anna@mail.example, see desk@work.example' } })
    const clean = redactRow(row)
    assert.deepEqual(
      [clean.prompt, clean.explained?.prompt].map((one) => one?.[0]?.content),
      [asked('[email]'), asked('[email]')],
    )
    assert.equal(clean.explained?.completion, '[email], see desk@work.example')
  })

  it('is not looked for twice: what is clean is the same row, and cleaning again changes nothing', () => {
    const row = loneRow(1)
    assert.equal(redactRow(row), row)
    fc.assert(
      fc.property(fc.string(), fc.emailAddress(), (text, mail) => {
        const once = redact(`${text} ${mail}`, '')
        assert.equal(redact(once, ''), once)
      }),
    )
  })
})
