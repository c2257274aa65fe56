import type { Logger } from './log.ts'
import type { CanaryEngine, Engine, EngineSlot, LoadEngine, TenantSlot, Version } from './ports/engine.ts'
import { withStandIn } from './stand-in.ts'

interface Lease {
  readonly engine: Engine
  users: number
  /** Set once the engine was replaced; called when its last user is done. */
  drained?: () => void
}

/** What answers some threads beside the serving engine. */
interface Beside {
  readonly lease: Lease
  readonly canary: CanaryEngine
}

export interface SlotOptions {
  readonly load: LoadEngine
  readonly first: Version
  readonly log: Logger
}

/**
 * Holds the serving engine and swaps around it: load the next one, prove it, flip, drain the old one, dispose it.
 * A reply finishes on the engine it started on; a candidate that fails its proof never serves. A canary is a second engine
 * that answers some threads until it is swapped in or ended.
 *
 * @example
 * const slot = await createSlot({ load, first: { id: 'v0', base: 'model.gguf' }, log })
 * await slot.swap({ id: 'v1', base: 'model.gguf', lora }, async (engine) => { await probe(engine) })
 */
export async function createSlot({ load, first, log }: SlotOptions): Promise<EngineSlot> {
  let current: Lease = { engine: await load(first), users: 0 }
  let beside: Beside | undefined
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

  async function proven(version: Version, prove?: (engine: Engine) => Promise<void>): Promise<Engine> {
    const engine = await load(version)
    try {
      await prove?.(engine)
      return engine
    } catch (error) {
      await engine[Symbol.asyncDispose]()
      throw error
    }
  }

  async function swapNow(next: Version, prove?: (engine: Engine) => Promise<void>): Promise<void> {
    const from = current.engine.version.id
    const started = performance.now()
    const [old, trial] = [current, beside?.lease]
    if (trial?.engine.version.id === next.id) {
      await prove?.(trial.engine)
      current = trial
    } else {
      current = { engine: await proven(next, prove), users: 0 }
      if (trial) retire(trial)
    }
    beside = undefined
    retire(old)
    log.info('slot.swapped', { from, to: next.id, ms: Math.round(performance.now() - started) })
  }

  async function besideNow(canary?: CanaryEngine, prove?: (engine: Engine) => Promise<void>): Promise<void> {
    const next = canary && { canary, lease: { engine: await proven(canary.version, prove), users: 0 } }
    if (beside) retire(beside.lease)
    beside = next
    log.info('slot.canary', { version: canary?.version.id ?? 'none' })
  }

  /** The two engines of a thread that takes part while a canary is on, its own one first. */
  async function pairFor(
    thread: string | undefined,
  ): Promise<{ readonly own: boolean; readonly with: Beside } | undefined> {
    const on = beside
    if (thread === undefined || !on) return undefined
    const own = await on.canary.takes(thread)
    return own === undefined ? undefined : { own, with: on }
  }

  /** One change after the other. */
  function inTurn(change: () => Promise<void>): Promise<void> {
    const turn = swapping.then(change)
    swapping = turn.catch(() => {})
    return turn
  }

  return {
    get version() {
      return current.engine.version
    },
    async use(work, thread) {
      const pair = await pairFor(thread)
      // It may have ended meanwhile.
      if (!pair || beside !== pair.with) return hold(current, work)
      const { lease, canary } = pair.with
      return hold(current, (serving) =>
        hold(lease, (engine) => {
          const trial = withStandIn(engine, serving, canary.answered)
          return pair.own ? work(trial, serving) : work(serving, trial)
        }),
      )
    },
    swap: (next, prove) => inTurn(() => swapNow(next, prove)),
    canary: (next, prove) => inTurn(() => besideNow(next, prove)),
    async versionFor(thread) {
      const pair = await pairFor(thread)
      return pair?.own ? pair.with.canary.version : current.engine.version
    },
    async borrow(version, work) {
      const up = [current, beside?.lease].find((lease) => lease?.engine.version.id === version.id)
      if (up) return hold(up, work)
      const engine = await load(version)
      try {
        return await work(engine)
      } finally {
        await engine[Symbol.asyncDispose]()
      }
    },
    async [Symbol.asyncDispose]() {
      await swapping
      if (beside) retire(beside.lease)
      retire(current)
      await Promise.all(draining)
    },
  }
}

/** What serves a tenant, whether tenants have versions of their own or not. */
export async function slotOf(slot: EngineSlot, tenant: string): Promise<TenantSlot> {
  return (await slot.of?.(tenant)) ?? slot
}
