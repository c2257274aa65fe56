/** Starts a long run and never ends it: a parent for the test that kills one.   Run:  node abandon.ts FOLDER */
import { createLogger } from '../../src/log.ts'
import { pythonTrainer } from '../../training/trainer.ts'
import { tinyJob } from './child.ts'

const folder = process.argv[2] ?? ''
// The log on stderr carries the child's process id.
const trainer = pythonTrainer({ dataDir: folder, log: createLogger() })
for await (const event of trainer.train(tinyJob(folder, 'abandoned', 10_000), new AbortController().signal)) {
  if (event.type === 'step') process.stdout.write('step\n')
}
