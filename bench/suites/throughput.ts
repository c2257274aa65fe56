import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot, starterDir } from '../../src/cli/model.ts'
import { childEnvironment } from '../../src/config.ts'
import { lockFile, preparePython, venvFolder } from '../../training/python-env.ts'
import { repliesToScore } from '../parity.ts'
import { atLeast, atMost, figure, median, type Result } from '../result.ts'

const pairs = 8
const rounds = 2

interface Variant {
  readonly cpu: readonly number[]
  readonly wall: readonly number[]
  readonly losses: readonly number[]
}
type Found = Readonly<Record<'trl' | 'ours' | 'unshared' | 'control', Variant>>

/**
 * Our DPO beside the same TRL call by hand, on the starter model and answers from a page of a handbook: in turns, in one
 * process, in CPU time, since wall clock on a busy machine says little. The losses must be the same.
 */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  const python = await preparePython({ venv: await venvFolder('.hone'), requirements: lockFile }, say)
  const dir = await mkdtemp(join(tmpdir(), 'hone-throughput-'))
  try {
    const file = join(dir, 'pairs.jsonl')
    await writeFile(file, (await rows()).map((row) => `${JSON.stringify(row)}\n`).join(''))
    say(`${pairs} pairs, ${rounds} rounds after one to warm up: TRL by hand, ours, ours unshared, TRL again`)
    const env = childEnvironment({ OMP_NUM_THREADS: '1' })
    const script = join(packageRoot, 'bench', 'dpo_by_hand.py')
    const { stdout } = await promisify(execFile)(python, [script, starterDir, file, String(rounds)], { env })
    const last = stdout.trim().split('\n').at(-1) ?? ''
    return figuresOf((JSON.parse(last) as { readonly variants: Found }).variants)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function rows() {
  return (await repliesToScore(pairs)).map(({ prompt, reply }) => ({
    prompt,
    chosen: [{ role: 'assistant', content: reply }],
    rejected: [{ role: 'assistant', content: `Thank you for asking! As far as I know it is this: ${reply}` }],
  }))
}

function figuresOf(found: Found): readonly Result[] {
  const { trl, ours, unshared, control } = found
  // Round by round: what slows the machine down for a while slows both.
  const ratio = (slow: Variant, fast: Variant, clock: 'cpu' | 'wall' = 'cpu') =>
    median(slow[clock].map((seconds, n) => seconds / (fast[clock][n] ?? Number.NaN)))
  const apart = Math.max(...trl.losses.map((loss, n) => Math.abs(loss - (ours.losses[n] ?? Number.NaN))))
  return [
    atLeast('throughput.dpo.over-trl', ratio(trl, ours), 0.95, 'x', { ...found, wall: ratio(trl, ours, 'wall') }),
    figure('throughput.dpo.unshared-over-trl', ratio(trl, unshared), 'x', 'our run with TRL’s own class'),
    figure('throughput.dpo.shared-over-unshared', ratio(unshared, ours), 'x'),
    figure('throughput.dpo.control', ratio(trl, control), 'x', 'TRL by hand against itself'),
    atMost('throughput.dpo.loss-difference', apart, 1e-3, 'nats', { trl: trl.losses, ours: ours.losses }),
  ]
}
