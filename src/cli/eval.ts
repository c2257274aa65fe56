import { join } from 'node:path'
import { evaluate, readGolden } from '../../training/index.ts'
import { createLogger } from '../log.ts'
import { checkLines } from '../outcome.ts'
import type { Output } from './output.ts'
import { type Parts, teacherOf } from './parts.ts'

/** `hone eval [V]`: the gate's checks for a version (the newest) against the base and the one that serves. */
export async function evaluateVersion(version: string | undefined, parts: Parts, output: Output): Promise<void> {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  const { dataDir, trainOn, teacher, tenants } = parts.config
  const found = await evaluate(version, {
    store: await parts.store(),
    slot: await parts.slot(),
    registry: await parts.registry(),
    base: parts.model().base,
    trainOn,
    pooled: tenants.pooled,
    golden: await readGolden(join(dataDir, 'golden.jsonl')),
    ...(teacher.url ? { judge: teacherOf(parts.config, createLogger(parts.config.logLevel)) } : {}),
    signal: stop.signal,
    say: output.say,
  })
  const { verdict, checks } = found.report
  output.result([`${found.version}: ${verdict}`, ...checkLines(checks)].join('\n'), found)
  if (verdict !== 'promote') process.exitCode = 1
}
