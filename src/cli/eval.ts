import { checkLines } from '../outcome.ts'
import type { Desk, Evaluated } from './desk.ts'
import type { Output } from './output.ts'

/** `hone eval [V]`: the gate's checks for a version (the newest) against the base and the one that serves. */
export async function evaluateVersion(version: string | undefined, desk: Desk, output: Output): Promise<void> {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  let found: Evaluated | undefined
  for await (const told of desk.evaluate(version ?? null, stop.signal)) {
    if ('say' in told) output.say(told.say)
    else found = told
  }
  if (!found) return
  const { verdict, checks } = found.report
  output.result([`${found.version}: ${verdict}`, ...checkLines(checks)].join('\n'), found)
  if (verdict !== 'promote') process.exitCode = 1
}
