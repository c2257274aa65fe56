import { guestOf } from '../src/id.ts'
import type { EngineSlot } from '../src/ports/engine.ts'
import type { VersionInfo } from '../src/ports/learning.ts'
import type { RunParts } from './request.ts'
import { type ServingParts, type ServingVersions, servingVersions } from './serving.ts'
import { tenantsOf, type Whose } from './tenants.ts'

/** Who is served and trains by themselves. */
export interface Apart {
  /** Absent where all tenants learn together. */
  readonly tenants?: () => Promise<readonly string[]>
  /** The operator's slot and versions. */
  readonly base: Place
  /** Without a tenant it is the operator who asks: for their own, or for the only tenant that there is. */
  whoseOf(tenant?: string): Promise<Whose>
  partsFor(whose: Whose): Promise<Place>
  /** Where a version goes into service. */
  placeOf(version: string, tenant?: string): Promise<Whose>
  versions(tenant?: string): Promise<readonly VersionInfo[]>
}

/** What serves somebody, and what changes that. */
export interface Place {
  readonly slot: RunParts['slot']
  readonly serving: ServingVersions
}

/** Whether tenants learn apart is the slot's to say: it has a place for each then. */
export function apartOf(
  options: ServingParts & { readonly slot: EngineSlot; readonly trainOn: readonly string[] },
): Apart {
  const { store, slot, registry, trainOn } = options
  const together = { slot, serving: servingVersions(options) }
  if (!slot.of) {
    const { versions } = together.serving
    const nobody = async () => undefined
    return { base: together, whoseOf: nobody, partsFor: async () => together, placeOf: nobody, versions }
  }
  const tenants = () => tenantsOf(store, trainOn)
  const whoseOf = async (tenant?: string) => {
    if (tenant !== undefined) return guestOf(tenant)
    const [first = '', ...more] = await tenants()
    return more.length === 0 ? first : ''
  }
  const base = { slot, serving: servingVersions({ ...options, whose: '' }) }
  // One of each, so that what changes a tenant's version is done in turn.
  const places = new Map<string, Place>([['', base]])
  const partsFor = async (whose: Whose = '') => {
    const own = (await slot.of?.(whose)) ?? slot
    const place = places.get(whose) ?? { slot: own, serving: servingVersions({ ...options, slot: own, whose }) }
    places.set(whose, place)
    return place
  }
  return {
    tenants,
    base,
    whoseOf,
    partsFor,
    async placeOf(version, tenant) {
      if (tenant !== undefined || version === 'v0') return whoseOf(tenant)
      return (await registry.get(version)).manifest.tenant ?? ''
    },
    async versions(tenant) {
      if (tenant !== undefined) return (await partsFor(guestOf(tenant))).serving.versions()
      const places = await Promise.all(['', ...(await store.serving.tenants())].map(partsFor))
      const served = new Set(places.map((place) => place.slot.version.id))
      return (await together.serving.versions()).map((one) => ({ ...one, serving: served.has(one.id) }))
    },
  }
}
