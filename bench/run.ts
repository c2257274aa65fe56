// npm run bench -- --suite starter,loop [--json]
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import type { Result, Suite } from './result.ts'

const suites: Readonly<Record<string, () => Promise<{ readonly run: Suite }>>> = {
  starter: () => import('./suites/starter.ts'),
  loop: () => import('./suites/loop.ts'),
  turn: () => import('./suites/turn.ts'),
  kill: () => import('./suites/kill.ts'),
  swap: () => import('./suites/swap.ts'),
  parity: () => import('./suites/parity.ts'),
}

const { values } = parseArgs({ options: { suite: { type: 'string' }, json: { type: 'boolean', default: false } } })
const wanted = (values.suite ?? Object.keys(suites).join(',')).split(',')
const unknown = wanted.filter((name) => !Object.hasOwn(suites, name))
if (unknown.length > 0) {
  process.stderr.write(`There is no suite ${unknown.join(', ')}. Known: ${Object.keys(suites).join(', ')}.\n`)
  process.exit(2)
}

const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
let missed = 0
for (const suite of wanted) {
  const { run } = await (suites[suite] as () => Promise<{ readonly run: Suite }>)()
  const results = await run((text) => void process.stderr.write(`${suite}: ${text}\n`))
  missed += results.filter(({ holds }) => !holds).length
  if (values.json) process.stdout.write(`${JSON.stringify({ suite, machine, results })}\n`)
  else process.stdout.write(`${table(suite, results)}\n`)
}
process.exit(missed > 0 ? 1 : 0)

function table(suite: string, results: readonly Result[]): string {
  const rows = results.map(({ name, value, unit, goal, holds }) => {
    const verdict = goal ? (holds ? 'holds' : 'MISSED') : ''
    return `  ${name.padEnd(44)} ${Number(value.toPrecision(4)).toString().padStart(10)} ${unit.padEnd(10)} ${goal.padEnd(10)} ${verdict}`
  })
  return [`${suite} (${machine})`, ...rows].join('\n')
}
