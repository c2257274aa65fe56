import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { pythonFolder, trainingPython } from './child.ts'

const run = promisify(execFile)

// The trainer's own tests. They check what only Python can see: tensors, tokens and bytes.
describe('the Python side of the trainer', function () {
  this.timeout(1_200_000)
  it('passes its own tests', async () => {
    await run(await trainingPython(), ['-m', 'unittest', 'discover', '-s', 'tests'], { cwd: pythonFolder }).catch(
      (error: Error & { readonly stderr?: string }) => {
        throw new Error(error.stderr ?? error.message)
      },
    )
  })
})
