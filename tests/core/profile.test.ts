import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openingKey, parseProfile, readProfile, toneFor } from '../../src/prompt/profile.ts'

const refused = (message: RegExp) => ({ code: 'CONFIG', message })
const parse = (front: string, body = '') => parseProfile(`---\nname: desk\n${front}\n---\n${body}`, 'p.md')

describe('a profile', () => {
  it('is refused with file, line and key for what is wrong in it', () => {
    const wrong: readonly (readonly [front: string, message: RegExp])[] = [
      ['pasages: 3', /^p\.md, line 3: the key "pasages" is not known/],
      ['learn: everyone', /^p\.md, line 3, key "learn": /],
      ['passages: many', /^p\.md, line 3, key "passages": /],
      ['hidden:\n  - fine\n  - 7', /^p\.md, line 5, key "hidden\.1": /],
      ['hidden: [a', /^p\.md, line \d: /],
      ['variables:\n  plan: { defalt: free }', /^p\.md, line 4: the key "variables\.plan\.defalt" is not known/],
      [
        'variables:\n  plan: { type: text }',
        /^p\.md, line 4, key "variables\.plan": give it a "default", or say "required: true"/,
      ],
      ['variables:\n  seats: { type: number, default: many }', /^p\.md, line 4, .*the default must be a number/],
      ['variables:\n  plan: { choices: [a, b], default: c }', /the default must be one of a, b/],
      ['variables:\n  plan: { default: a, pick: x }', /"pick" needs a "from"/],
      ['variables:\n  plan: { default: a, from: //evil.example }', /line 4, .*begins with one \//],
      ['variables:\n  today: { default: a }', /^p\.md, line 4: "today" is there already/],
      [
        'variables:\n  plan: { default: a, from: "/p/{{plan}}" }',
        /^p\.md, line 4 uses \{\{plan\}\} in a path; there may stand person\.id,/,
      ],
      ['extends: other.md', /^p\.md, line 3: only a profile that is read from a file/],
    ]
    for (const [front, message] of wrong) assert.throws(() => parse(front), refused(message), front)
    assert.throws(() => parseProfile('You are Hazel.', 'p.md'), refused(/no profile: it must start with front matter/))
  })

  it('refuses a variable nobody declared, with the line that uses it', () => {
    assert.throws(
      () => parse('passages: 1', 'You are Hazel.\nThe plan is {{plan}}.'),
      refused(/^p\.md, line 6 uses \{\{plan\}\}/),
    )
    assert.throws(() => parse('rules:\n  - Say {{plan}}.'), refused(/^p\.md, line 4 uses \{\{plan\}\}/))
  })

  it('has another version as soon as a character differs', () => {
    assert.notEqual(parse('', 'x').version, parse('', 'y').version)
  })

  it('speaks to a person in their own tone, else in their tenant’s, else in its own', () => {
    const profile = parse(
      'tone:\n  default: Warm.\n  tenants: { "slack:T1": Formal. }\n  people: { "web:anna": Short. }',
    )
    assert.equal(toneFor(profile, 'web:anna', 'slack:T1'), 'Short.')
    assert.equal(toneFor(profile, 'web:bob', 'slack:T1'), 'Formal.')
    assert.equal(toneFor(profile, 'constructor', 'constructor'), 'Warm.')
    assert.equal(toneFor(parse(''), 'web:anna', 'web'), '')
  })

  it('opens a thread otherwise only when its texts are others', () => {
    const key = (front: string, body = 'You are Hazel.') => openingKey(parse(front, body))
    assert.equal(
      key('passages: 1'),
      key('passages: 2\nsampling: { temperature: 0 }\nstarters: [Hi]\ntone: { default: Warm. }'),
    )
    assert.notEqual(key(''), key('rules: [Be brief.]'))
    assert.notEqual(key(''), key('', 'You are Ash.'))
  })
})

describe('a profile that extends another', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'hone-profile-'))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))
  const write = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }

  it('adds to its lists, overrides its tables key by key, and keeps its persona unless it has one', async () => {
    write(
      'house.md',
      '---\nname: house\nrules: [Be honest.]\nsampling: { temperature: 0.2, maxTokens: 50 }\npassages: 5\nvariables:\n  plan: { default: free }\n  team: { default: none }\n---\nYou are Hazel.',
    )
    const child = write(
      'desk.md',
      '---\nname: desk\nextends: house.md\nrules: [Be brief.]\nsampling: { temperature: 0 }\nvariables:\n  plan: { default: team }\n---\n',
    )
    const profile = await readProfile(child)
    assert.deepEqual([profile.name, profile.persona, profile.passages], ['desk', 'You are Hazel.', 5])
    assert.deepEqual(profile.rules, ['Be honest.', 'Be brief.'])
    assert.deepEqual(profile.sampling, { temperature: 0, topP: 0.95, maxTokens: 50 })
    assert.deepEqual([profile.variables['plan']?.default, profile.variables['team']?.default], ['team', 'none'])
  })

  it('is kept whole: what is stored under its version needs no other file', async () => {
    write('house.md', '---\nname: house\nrules: ["Be honest: {{plan}}"]\ntone: { default: Warm. }\n---\nYou are Hazel.')
    const file = write(
      'desk.md',
      '---\nname: desk\nextends: house.md\nvariables: { plan: { default: free, cacheSeconds: 9 } }\n---\n',
    )
    const profile = await readProfile(file)
    assert.deepEqual(parseProfile(profile.source, 'stored'), profile)
    assert.doesNotMatch(profile.source, /null|\[\]|\{\}/)
    write('house.md', '---\nname: house\nrules: [Be honest.]\n---\nYou are Hazel.')
    assert.notEqual((await readProfile(file)).version, profile.version)
  })

  it('that extends it back is refused, with the way round', async () => {
    write('a.md', '---\nname: a\nextends: b.md\n---\n')
    write('b.md', '---\nname: b\nextends: ./c.md\n---\n')
    write('c.md', '---\nname: c\n\nextends: a.md\n---\n')
    await assert.rejects(
      readProfile(join(dir, 'a.md')),
      refused(/c\.md, line 4: it inherits from itself: .*a\.md → .*b\.md → .*c\.md → .*a\.md\./),
    )
    const own = write('own.md', '---\nname: own\nextends: own.md\n---\n')
    await assert.rejects(readProfile(own), refused(/line 3: it inherits from itself/))
  })

  it('that is not there is refused at the line that names it', async () => {
    const file = write('desk.md', '---\nname: desk\nextends: gone.md\n---\n')
    await assert.rejects(readProfile(file), refused(/desk\.md, line 3: The profile .*gone\.md can't be read/))
  })

  it('with an unknown variable is refused where that stands, in whichever file', async () => {
    write('house.md', '---\nname: house\n---\nYou are Hazel.\n{{plan}}')
    const file = write('desk.md', '---\nname: desk\nextends: house.md\n---\n')
    await assert.rejects(readProfile(file), refused(/house\.md, line 5 uses \{\{plan\}\}/))
  })
})
