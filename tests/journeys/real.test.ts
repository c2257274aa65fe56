import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../src/cli/model.ts'

const run = promisify(execFile)
const mocha = join(packageRoot, 'node_modules', 'mocha', 'bin', 'mocha.js')

// In a process of its own, as a bot is: after a thousand other tests in one process its first message never arrived.
describe('one bot in Slack, Teams and Discord, with the real model and the real trainer', () => {
  it('is asked, corrected and retrained from the chat', async () => {
    await run(process.execPath, [mocha, join('tests', 'journeys', 'real.ts')], { cwd: packageRoot }).catch(
      (error: Error & { readonly stdout?: string }) => {
        throw new Error(error.stdout || error.message)
      },
    )
  }).timeout(960_000)
})
