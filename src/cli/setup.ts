import { pythonTrainer } from '../../training/index.ts'
import type { Config } from '../config.ts'
import { HoneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Output } from './output.ts'

interface Where {
  readonly config: Config
  readonly output: Output
  readonly log: Logger
}

/** `hone setup python`: makes the training environment now instead of at the first run. */
export async function setUpPython(what: string, { config, output, log }: Where): Promise<void> {
  if (what !== 'python')
    throw new HoneError('INPUT', `\`hone setup ${what}\` is not known; there is \`hone setup python\`.`)
  const trainer = pythonTrainer({ dataDir: config.dataDir, log, ...(config.python ? { python: config.python } : {}) })
  await trainer.prepare((line) => output.say(line))
  output.result('The training environment is ready.', { ready: true })
}
