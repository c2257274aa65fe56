import type { Logger } from './log.ts'
import type { Engine, EngineSlot, LoadEngine, Version } from './ports/engine.ts'

interface Lease {
  readonly engine: Engine
  users: number
  /** Set once the engine was replaced; called when its last user is done. */
  drained?: () => void
}

export interface SlotOptions {
  readonly load: LoadEngine
  readonly first: Version
  readonly log: Logger
}

/**
 * Holds the serving engine and swaps around it: load the next one, prove it, flip, drain the old one, dispose it.
 * A reply finishes on the engine it started on; a candidate that fails its proof never serves.
 *
 * @example
 * const slot = await createSlot({ load, first: { id: 'v0', base: 'model.gguf' }, log })
 * await slot.swap({ id: 'v1', base: 'model.gguf', lora }, async (engine) => { await probe(engine) })
 */
export async function createSlot({ load, first, log }: SlotOptions): Promise<EngineSlot> {
  let current: Lease = { engine: await load(first), users: 0 }
  let swapping: Promise<void> = Promise.resolve()
  const draining = new Set<Promise<void>>()

  async function hold<T>(lease: Lease, work: (engine: Engine) => Promise<T>): Promise<T> {
    lease.users += 1
    try {
      return await work(lease.engine)
    } finally {
      lease.users -= 1
      if (lease.users === 0) lease.drained?.()
    }
  }

  function retire(old: Lease): void {
    const empty = new Promise<void>((resolve) => {
      old.drained = resolve
      if (old.users === 0) resolve()
    })
    const gone = empty
      .then(() => old.engine[Symbol.asyncDispose]())
      .catch((error: unknown) => log.warn('slot.dispose.failed', { error, version: old.engine.version.id }))
    draining.add(gone)
    void gone.finally(() => draining.delete(gone))
  }

  async function swapNow(next: Version, prove?: (engine: Engine) => Promise<void>): Promise<void> {
    const from = current.engine.version.id
    const started = performance.now()
    const engine = await load(next)
    try {
      await prove?.(engine)
    } catch (error) {
      await engine[Symbol.asyncDispose]()
      throw error
    }
    const old = current
    current = { engine, users: 0 }
    retire(old)
    log.info('slot.swapped', { from, to: next.id, ms: Math.round(performance.now() - started) })
  }

  return {
    get version() {
      return current.engine.version
    },
    use: (work) => hold(current, work),
    swap(next, prove) {
      const turn = swapping.then(() => swapNow(next, prove))
      swapping = turn.catch(() => {})
      return turn
    },
    async borrow(version, work) {
      if (version.id === current.engine.version.id) return hold(current, work)
      const engine = await load(version)
      try {
        return await work(engine)
      } finally {
        await engine[Symbol.asyncDispose]()
      }
    },
    async [Symbol.asyncDispose]() {
      await swapping
      retire(current)
      await Promise.all(draining)
    },
  }
}
