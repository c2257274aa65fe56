import assert from 'node:assert/strict'
import { createAdmins } from '../../../adapters/slack/admins.ts'
import type { SlackApi } from '../../../adapters/slack/api.ts'
import { silent } from '../../../src/log.ts'

/** Admins by one user group that answers what it is told to, at a time that is told too. */
function group(answer: () => Promise<readonly string[]>) {
  let time = 0
  let asked = 0
  const call: SlackApi['call'] = async (_, __, run) =>
    run({ usergroups: { users: { list: async () => ({ users: await (++asked && answer()) }) } } } as never)
  const isAdmin = createAdmins({ call } as SlackApi, ['SADMINS'], silent, () => time)
  return {
    is: (user: string) => isAdmin('T1', user),
    asked: () => asked,
    pass: (ms: number) => {
      time += ms
    },
  }
}

describe('admins by user group', () => {
  it('are asked for once, however many want to know', async () => {
    const admins = group(async () => ['UADMIN'])
    assert.deepEqual(await Promise.all(['UADMIN', 'UANNA', 'UADMIN'].map(admins.is)), [true, false, true])
    assert.equal(admins.asked(), 1)
    admins.pass(300_001)
    await admins.is('UADMIN')
    assert.equal(admins.asked(), 2)
  })

  it('are asked for again only after half a minute when Slack refuses', async () => {
    const admins = group(async () => Promise.reject(new Error('missing_scope')))
    for (let n = 0; n < 5; n++) assert.equal(await admins.is('UADMIN'), false)
    assert.equal(admins.asked(), 1)
    admins.pass(30_001)
    await admins.is('UADMIN')
    assert.equal(admins.asked(), 2)
  })

  it('stay those last known while Slack refuses', async () => {
    let refuses = false
    const admins = group(async () => (refuses ? Promise.reject(new Error('fatal_error')) : ['UADMIN']))
    await admins.is('UADMIN')
    refuses = true
    for (let n = 0; n < 3; n++) {
      admins.pass(300_001)
      assert.equal(await admins.is('UADMIN'), true)
    }
  })
})
