import { llama } from '../../src/engines/llama/index.ts'
import { silent } from '../../src/log.ts'

/** Loads the model that the command line names, prints the id of the process that holds it, and stays. */
const modelPath = process.argv[2] as string
const host = llama({ modelPath, log: silent, gpu: false })
await host.load({ id: 'v0', base: modelPath })
process.stdout.write(`${host.pid}\n`)
setInterval(() => {}, 1000)
