// npm run bench -- --suite starter,train:vain [--json]
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import type { Result, Suite } from './result.ts'

const suites: Readonly<Record<string, () => Promise<{ readonly run: Suite }>>> = {
  starter: () => import('./suites/starter.ts'),
  everyday: () => import('./suites/everyday.ts'),
  retrieval: () => import('./suites/retrieval.ts'),
  loop: () => import('./suites/loop.ts'),
  train: () => import('./suites/train.ts'),
  compare: () => import('./suites/compare.ts'),
  family: () => import('./suites/family.ts'),
  examples: () => import('./suites/examples.ts'),
  tune: () => import('./suites/tune.ts'),
  turn: () => import('./suites/turn.ts'),
  kill: () => import('./suites/kill.ts'),
  swap: () => import('./suites/swap.ts'),
  slack: () => import('./suites/slack.ts'),
  discord: () => import('./suites/discord.ts'),
  teams: () => import('./suites/teams.ts'),
  parity: () => import('./suites/parity.ts'),
  throughput: () => import('./suites/throughput.ts'),
  injection: () => import('./suites/injection.ts'),
}

const { values } = parseArgs({ options: { suite: { type: 'string' }, json: { type: 'boolean', default: false } } })
const wanted = (values.suite ?? Object.keys(suites).join(',')).split(',')
const nameOf = (suite: string) => suite.split(':')[0] as string
const unknown = wanted.filter((suite) => !Object.hasOwn(suites, nameOf(suite)))
if (unknown.length > 0) {
  process.stderr.write(`There is no suite ${unknown.join(', ')}. Known: ${Object.keys(suites).join(', ')}.\n`)
  process.exit(2)
}

const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
let missed = 0
for (const suite of wanted) {
  const { run } = await (suites[nameOf(suite)] as () => Promise<{ readonly run: Suite }>)()
  const only = suite.slice(nameOf(suite).length + 1) || undefined
  const results = await run((text) => void process.stderr.write(`${suite}: ${text}\n`), only)
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
