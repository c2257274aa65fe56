import { readdir, readFile } from 'node:fs/promises'
import { platform } from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const pageBytes = 4096

/** Resident memory in MB. */
export interface Resident {
  /** Of this process, after its garbage was collected where Node lets us. */
  readonly own: number
  /** Of all processes below it; 0 elsewhere than on Linux. */
  readonly below: number
}

/** Measures this process and all processes below it. */
export async function resident(): Promise<Resident> {
  collectGarbage()
  const own = process.memoryUsage.rss() / 2 ** 20
  if (platform !== 'linux') return { own, below: 0 }
  const parents = new Map<number, number>()
  const pages = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    // Fields after the name in brackets, which may hold spaces itself; man 5 proc: 4 is the parent, 24 resident pages.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    parents.set(Number(name), Number(fields[1]))
    pages.set(Number(name), Number(fields[21]))
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid)
    return parent !== undefined && (parent === process.pid || isBelow(parent))
  }
  let sum = 0
  for (const [pid, count] of pages) if (isBelow(pid)) sum += count
  return { own, below: (sum * pageBytes) / 2 ** 20 }
}

/** What waits to be collected is not kept: it must not count as growth. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}
