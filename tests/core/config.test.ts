import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { envExample, readConfig } from '../../src/config.ts'
import { codes, HoneError } from '../../src/errors.ts'
import { settings } from '../../src/settings.ts'

const wrong = (env: Record<string, string>, text: RegExp) =>
  assert.throws(
    () => readConfig(env),
    (error) => error instanceof HoneError && error.code === 'CONFIG' && text.test(error.message),
  )

describe('the configuration', () => {
  it('works with nothing set', () => {
    const config = readConfig({})
    assert.equal(config.port, 3978)
    assert.equal(config.host, '127.0.0.1')
    assert.deepEqual(config.trainOn, ['web', 'terminal', 'import'])
  })
  it('says which variable is wrong and what it must be', () => {
    wrong({ HONE_PORT: 'abc' }, /HONE_PORT is "abc"; it must be a whole number/)
    wrong({ HONE_DUEL_RATE: '2' }, /HONE_DUEL_RATE.*from 0 to 1/)
  })
  it('notices a typo in a name', () => wrong({ HONE_PROT: '1' }, /HONE_PROT.*did you mean HONE_PORT/))
  it('takes the log level of the command where none is set', () => {
    assert.equal(readConfig({}, 'warn').logLevel, 'warn')
    assert.equal(readConfig({ HONE_LOG: 'debug' }, 'warn').logLevel, 'debug')
    assert.equal(readConfig({}).logLevel, 'info')
  })
  it('is what .env.example says', () => {
    assert.equal(readFileSync(new URL('../../.env.example', import.meta.url), 'utf8'), envExample())
  })
  it('describes every setting in one sentence', () => {
    for (const [name, { help }] of Object.entries(settings)) assert.match(help, /\.$/, name)
  })
})

describe('errors', () => {
  it('say what to do next', () => {
    for (const [code, help] of Object.entries(codes)) assert.match(help, /^[A-Z].*\.$/, code)
    assert.match(new HoneError('PORT_TAKEN', 'Port 1 is taken.').help, /HONE_PORT/)
  })
})
