/** People judge a canary one after the other, until it is decided or this is killed:   node child.ts FOLDER FIRST */
import { judge, openLive } from './house.ts'

const [, , dir = '', first = '0'] = process.argv
await using house = await openLive({ dir })
if (!(await house.live.canary())) await house.live.serve('v1', 'web:admin', 'gate: promote')
for (let n = Number(first); await house.live.canary(); n++) {
  await judge(house, 'canary', 1, `n${n}-`)
  process.stdout.write(`${n}\n`)
}
