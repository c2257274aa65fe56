import { asHoneError, type ErrorCode } from './errors.ts'
import { guestOf } from './id.ts'
import type { Logger } from './log.ts'
import type { Engine, EngineSlot, LoadEngine, TenantSlot, Version } from './ports/engine.ts'
import { createSlot } from './slot.ts'

export interface TenantOptions {
  /** Serves the operator's own tenants, and every other one that has no version of its own. */
  readonly slot: EngineSlot
  /** Loads a version and proves it: what it resolves with serves. */
  readonly load: LoadEngine
  /** The version of a tenant's own that served it last, if there is one. */
  readonly versionOf: (tenant: string) => Promise<Version | undefined>
  /** How many tenants' engines may be loaded at once. */
  readonly most: number
  readonly log: Logger
}

/** One tenant's engine, loaded or being loaded. */
interface Room {
  readonly slot: Promise<EngineSlot>
  users: number
  /** Set once the room is to be cleared; called when its last user is done. */
  empty?: () => void
}

/** What is known of a tenant. */
interface Place {
  readonly tenant: string
  /** Its own; absent: what serves the operator serves it. */
  version?: Version | undefined
  room?: Room | undefined
  /** Ends with the last change of its version. */
  changing: Promise<void>
}

/** A version that can't be loaded now can't be loaded later either. */
const forGood: readonly ErrorCode[] = ['LORA_MISMATCH', 'SWAP_REFUSED', 'NOT_FOUND']

/**
 * A slot in which tenants may have versions of their own, all LoRAs on one base. An engine is loaded when its tenant's turn
 * needs it; when there are too many, the one that was used longest ago ends its replies and is disposed first. A tenant
 * whose version can't be loaded is served as if it had none.
 *
 * @example
 * await using slot = withTenants({ slot: await createSlot({ load, first, log }), load, versionOf, most: 4, log })
 * await (await slot.of?.('slack:T1'))?.use((engine) => …)
 */
export function withTenants({ slot, load, versionOf, most, log }: TenantOptions): EngineSlot {
  const places = new Map<string, Promise<Place>>()
  /** Rooms with an engine in them; the one used longest ago comes first. */
  const loaded = new Set<Place>()
  let loading: Promise<unknown> = Promise.resolve()
  const clearing = new Set<Promise<void>>()

  function placeOf(tenant: string): Promise<Place> {
    const known = places.get(tenant)
    if (known) return known
    const made = versionOf(tenant).then((version): Place => ({ tenant, version, changing: Promise.resolve() }))
    places.set(tenant, made)
    made.catch(() => places.delete(tenant))
    return made
  }

  /** The place's room; made when the rooms before it are, so that there is never one too many. */
  function open(place: Place, version: Version, loadIt = load): Room {
    if (place.room) {
      if (loaded.delete(place)) loaded.add(place)
      return place.room
    }
    const made = loading.then(async () => {
      while (loaded.size >= most) await clear([...loaded][0] as Place)
      const started = performance.now()
      const own = await createSlot({ load: loadIt, first: version, log })
      // Cleared while it loaded: whoever cleared it disposes it.
      if (place.room === room) loaded.add(place)
      log.info('tenant.loaded', { version: version.id, ms: Math.round(performance.now() - started) })
      return own
    })
    loading = made.catch(() => {})
    const room: Room = { slot: made, users: 0 }
    made.catch((error: unknown) => {
      if (place.room === room) place.room = undefined
      if (place.version === version) failed(place, version, error)
    })
    place.room = room
    return room
  }

  /** Ends a room once its replies are done. Whoever comes meanwhile has to wait for another. */
  function clear(place: Place): Promise<void> {
    const { room } = place
    loaded.delete(place)
    place.room = undefined
    if (!room) return Promise.resolve()
    const cleared = (async () => {
      await new Promise<void>((resolve) => {
        room.empty = resolve
        if (room.users === 0) resolve()
      })
      await (await room.slot)[Symbol.asyncDispose]()
    })().catch((error: unknown) => log.warn('tenant.clear.failed', { tenant: place.tenant, error }))
    clearing.add(cleared)
    return cleared.finally(() => clearing.delete(cleared))
  }

  async function within<T>(room: Room, work: (own: EngineSlot | undefined) => Promise<T>): Promise<T> {
    room.users += 1
    try {
      return await work(await room.slot.catch(() => undefined))
    } finally {
      room.users -= 1
      if (room.users === 0) room.empty?.()
    }
  }

  function failed(place: Place, version: Version, error: unknown): void {
    const failure = asHoneError(error, 'ENGINE_FAILED', 'A tenant’s version could not be loaded')
    log.error('tenant.unusable', { tenant: place.tenant, version: version.id, error: failure })
    if (forGood.includes(failure.code)) place.version = undefined
  }

  /** The version for which the place needs an engine of its own. */
  const ownOf = ({ version }: Place) => (version?.id === slot.version.id ? undefined : version)

  /** False where there is no engine to swap, because it could not be loaded. */
  const swapIn = (room: Room, ...swap: Parameters<EngineSlot['swap']>) =>
    within(room, async (own) => {
      await own?.swap(...swap)
      return own !== undefined
    })

  async function change(place: Place, next: Version, prove?: (engine: Engine) => Promise<void>): Promise<void> {
    if (next.id === slot.version.id) {
      if (prove) await slot.use(prove)
      void clear(place)
      place.version = next
      return
    }
    const own = ownOf(place)
    // What is loaded is the version that serves the operator by now.
    if (!own) await clear(place)
    if (!own || !(await swapIn(open(place, own), next, prove))) {
      await open(place, next, async (version) => proven(await load(version), prove)).slot
    }
    place.version = next
  }

  function viewOf(place: Place): TenantSlot {
    const use: TenantSlot['use'] = async (work, thread) => {
      const own = ownOf(place)
      if (own) return within(open(place, own), (engine) => (engine ?? slot).use(work, thread))
      // Who chose the version that serves the operator keeps to it while a canary is on.
      return place.version ? slot.use(work) : slot.use(work, thread)
    }
    return {
      get version() {
        return place.version ?? slot.version
      },
      get own() {
        return place.version !== undefined
      },
      use,
      versionFor: async (thread) => place.version ?? (await slot.versionFor?.(thread)) ?? slot.version,
      swap(next, prove) {
        const turn = place.changing.then(() => change(place, next, prove))
        place.changing = turn.catch(() => {})
        return turn
      },
      borrow: (version, work) => (version.id === place.version?.id ? use(work) : slot.borrow(version, work)),
      async leave() {
        await place.changing
        place.version = undefined
        void clear(place)
      },
    }
  }

  return {
    get version() {
      return slot.version
    },
    use: slot.use,
    swap: slot.swap,
    borrow: slot.borrow,
    ...(slot.canary ? { canary: slot.canary } : {}),
    ...(slot.versionFor ? { versionFor: slot.versionFor } : {}),
    async of(tenant) {
      const guest = guestOf(tenant)
      return guest === '' ? slot : viewOf(await placeOf(guest))
    },
    async [Symbol.asyncDispose]() {
      await loading
      await Promise.all([...loaded].map(clear))
      await Promise.all(clearing)
      await slot[Symbol.asyncDispose]()
    },
  }
}

/** Disposes an engine that fails its proof. */
async function proven(engine: Engine, prove?: (engine: Engine) => Promise<void>): Promise<Engine> {
  try {
    await prove?.(engine)
    return engine
  } catch (error) {
    await engine[Symbol.asyncDispose]()
    throw error
  }
}
