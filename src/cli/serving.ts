import { forgottenOf, isFor, prove, type Registry, untaught, type Whose } from '../../training/index.ts'
import type { Config } from '../config.ts'
import type { Logger } from '../log.ts'
import type { EngineSlot, LoadEngine, Version } from '../ports/engine.ts'
import type { Store } from '../ports/store.ts'
import { createSlot } from '../slot.ts'
import { withTenants } from '../tenants.ts'

interface SlotParts {
  readonly config: Config
  readonly store: Store
  readonly registry: Registry
  /** A GGUF's path, or the name of a model on a server. */
  readonly base: string
  readonly load: LoadEngine
  readonly log: Logger
}

/** The slot with what served last; where tenants learn apart, with the versions of tenants as they are needed. */
export async function openSlot(parts: SlotParts): Promise<EngineSlot> {
  const { config, base, load, log, registry } = parts
  const { pooled, engines: most } = config.tenants
  const first = (await lastOf(parts, pooled ? undefined : '')) ?? { id: 'v0', base }
  const slot = await createSlot({ load, first, log })
  if (pooled) return slot
  const proven: LoadEngine = async (version) => {
    const engine = await load(version)
    try {
      await prove(engine, version.id === 'v0' ? undefined : (await registry.get(version.id)).manifest)
      return engine
    } catch (error) {
      await engine[Symbol.asyncDispose]()
      throw error
    }
  }
  return withTenants({ slot, load: proven, versionOf: (tenant) => lastOf(parts, tenant), most, log })
}

/** The version that served them last; another one when it learned from a person who was forgotten, none when none can be used. */
async function lastOf({ store, registry, base, log }: SlotParts, whose: Whose): Promise<Version | undefined> {
  const id = await store.serving.current(whose)
  if (id === '') return undefined
  const forgotten = (await forgottenOf(registry)).has(id)
  if (forgotten) log.warn('version.forgotten', { version: id })
  for (const version of forgotten ? await untaught(store, registry, whose) : [id]) {
    if (version === '') break
    try {
      if (version === 'v0' || isFor((await registry.get(version)).manifest, whose))
        return await registry.toVersion(version, base)
      log.warn('version.pooled', { version })
    } catch (error) {
      log.warn('version.unusable', { version, error })
    }
  }
  return undefined
}
