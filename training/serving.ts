import { stat } from 'node:fs/promises'
import { HoneError } from '../src/errors.ts'
import type { Logger } from '../src/log.ts'
import type { Engine, TenantSlot } from '../src/ports/engine.ts'
import type { VersionInfo } from '../src/ports/learning.ts'
import type { Store } from '../src/ports/store.ts'
import { toPrune } from './full.ts'
import { canaryOf, rows, takenBack } from './live/log.ts'
import type { VersionManifest } from './manifest.ts'
import type { Registry } from './registry.ts'
import { isFor, type Whose } from './tenants.ts'

/** What changing the serving version needs. */
export interface ServingParts {
  readonly store: Store
  /** What serves them. */
  readonly slot: TenantSlot
  readonly registry: Registry
  /** The base model: a GGUF's path or a server's model name. */
  readonly base: string
  readonly log: Logger
  /** Whose versions. */
  readonly whose?: Whose
  /** Called once somebody, or the gate, has put a trained version into service. */
  readonly onPromoted?: ((version: string, whose: Whose) => void) | undefined
}

/** Changes which version serves, and says which there are. */
export interface ServingVersions {
  /**
   * Loads, proves and serves a version; with an empty name, a tenant has none of its own any more. On any failure the one
   * before goes on serving, on disk too.
   */
  promote(version: string, by: string, why: string): Promise<void>
  rollback(by: string): Promise<string>
  versions(): Promise<readonly VersionInfo[]>
  /** Removes models of their own that nobody needs ({@link toPrune}), but for the newest `keep`; answers whose. */
  prune(keep: number): Promise<readonly string[]>
}

const rolledBack = 'rollback from '

/** @example await servingVersions({ store, slot, registry, base, log }).promote('v2', 'web:anna', 'looks good') */
export function servingVersions(parts: ServingParts): ServingVersions {
  const { store, slot, registry, base, log, whose } = parts
  const tenant = whose ?? ''
  let changing: Promise<unknown> = Promise.resolve()
  /** One change after the other: nothing is removed that is being put into service. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = changing.then(work)
    changing = turn.catch(() => {})
    return turn
  }
  async function history() {
    const entries = await store.serving.log(1000, tenant)
    const { current, earlier } = standing(entries.toReversed(), tenant === '' ? 'v0' : '')
    const all = (await registry.list()).map(({ manifest }) => manifest)
    const unfit = all.filter((one) => one.forgotten || one.model?.pruned || !isFor(one, whose))
    const never = new Set(unfit.map(({ id }) => id))
    return { all, current, previous: earlier.find((version) => version !== current && !never.has(version)) }
  }

  async function promoteNow(version: string, by: string, why: string): Promise<void> {
    const before = slot.version
    const known = version !== 'v0' && !(version === '' && slot.leave)
    const manifest = known ? (await registry.get(version)).manifest : undefined
    if (manifest && !isFor(manifest, whose)) throw notTheirs(manifest)
    if (manifest?.gate.verdict === 'refuse') {
      const failed = manifest.gate.checks.filter(({ pass }) => !pass).map(({ id }) => id)
      throw new HoneError('SWAP_REFUSED', `The gate refused ${version}: ${failed.join(', ')}.`)
    }
    if (manifest?.forgotten) {
      throw new HoneError('SWAP_REFUSED', `${version} learned from feedback that was deleted since. Train a new one.`)
    }
    const kept = await store.serving.current(tenant)
    if (version === '') await slot.leave?.()
    else if (before.id !== version || (slot.leave && kept !== version)) {
      await slot.swap(await registry.toVersion(version, base), (engine) => prove(engine, manifest))
    }
    try {
      await store.serving.set(version, by, why, tenant)
    } catch (error) {
      // The disk decides what serves after a restart, so memory must not be ahead of it.
      if (kept === '') await slot.leave?.()
      else if (before.id !== slot.version.id) await slot.swap(before)
      throw error
    }
    log.info('version.serving', { version, before: before.id, by, why, ...(tenant ? { tenant } : {}) })
    if (manifest && by !== 'forget' && !why.startsWith(rolledBack)) parts.onPromoted?.(version, whose)
  }

  const promote = (...given: Parameters<typeof promoteNow>) => inTurn(() => promoteNow(...given))
  return {
    promote,
    async rollback(by) {
      const { current, previous } = await history()
      if (previous === undefined)
        throw new HoneError('NOT_FOUND', `Nothing served before ${current || slot.version.id}.`)
      await promote(previous, by, `${rolledBack}${current}`)
      return slot.version.id
    },
    prune: (keep) =>
      inTurn(async () => {
        const { all, previous } = await history()
        const own = all.filter((one) => whose === undefined || (one.tenant ?? '') === whose)
        const current = await Promise.all(
          ['', ...(await store.serving.tenants())].map((one) => store.serving.current(one)),
        )
        const canary = canaryOf(await store.serving.log(rows, ''))?.version
        const gone = toPrune(own, { standing: [slot.version.id, previous, canary, ...current], keep })
        for (const id of gone) await registry.prune(id)
        if (gone.length > 0) log.info('version.pruned', { versions: gone })
        return gone
      }),
    async versions() {
      const serving = slot.version.id
      const file = await stat(base).catch(() => undefined)
      const bare: VersionInfo = {
        id: 'v0',
        serving: serving === 'v0',
        createdAt: file?.mtime ?? new Date(0),
        bytes: file?.size ?? 0,
        pairs: [],
      }
      const seen = (await registry.list()).filter(({ manifest: one }) => isFor(one, whose) || (one.pooled && !tenant))
      return [bare, ...seen.map(({ manifest, bytes }) => infoOf(manifest, bytes, serving))]
    },
  }
}

/**
 * Throws unless what was trained is live on this engine: the probe's log-probability must be nearer to what the gate measured
 * with it than to the bare base's. An API that silently ignores a LoRA is caught here.
 *
 * @throws HoneError SWAP_REFUSED
 */
export async function prove(engine: Engine, manifest: VersionManifest | undefined): Promise<void> {
  const probe = manifest?.probe
  if (!probe || !engine.score) return
  const { logProbability } = await engine.score([], probe.text)
  const off = Math.abs(logProbability - probe.candidate)
  if (!(off < Math.abs(logProbability - probe.base))) {
    throw new HoneError('SWAP_REFUSED', `What ${manifest.id} learned has no effect on the engine: it was not loaded.`)
  }
}

/**
 * What may serve in place of a version that learned from somebody who was forgotten: versions that never saw such a
 * person and were good enough (they served, or the gate promoted them), newest first, and the bare base at the end; for a
 * tenant its own ones, and then none (`''`).
 */
export async function untaught(store: Store, registry: Registry, whose?: Whose): Promise<readonly string[]> {
  const log = await store.serving.log(1000, whose)
  const [served, bad] = [new Set(log.map(({ version }) => version)), takenBack(log)]
  const good = (await registry.list()).filter(({ manifest }) => {
    const { id, gate, forgotten, tenant, model } = manifest
    if (forgotten || model?.pruned || !isFor(manifest, whose) || (whose && tenant !== whose)) return false
    return gate.verdict !== 'refuse' && !bad.has(id) && (served.has(id) || gate.verdict === 'promote')
  })
  return [...good.map(({ manifest }) => manifest.id).toReversed(), whose ? '' : 'v0']
}

/** Versions that learned from somebody who was forgotten since. They never serve again. */
export async function forgottenOf(registry: Registry): Promise<ReadonlySet<string>> {
  const all = await registry.list()
  return new Set(all.filter(({ manifest }) => manifest.forgotten).map(({ manifest }) => manifest.id))
}

/** What serves and what served before it, newest first, where a rollback takes back a promotion instead of adding one. */
function standing(
  oldestFirst: readonly { readonly version: string; readonly why: string }[],
  first: string,
): { readonly current: string; readonly earlier: readonly string[] } {
  const stack = [first]
  for (const { version, why } of oldestFirst) {
    // A rollback may have passed over versions that learned from somebody who was forgotten.
    const back = why.startsWith(rolledBack) ? stack.lastIndexOf(version, -2) : -1
    if (back >= 0) stack.length = back + 1
    else if (stack.at(-1) !== version) stack.push(version)
  }
  return { current: stack.at(-1) ?? first, earlier: stack.slice(0, -1).toReversed() }
}

/** A version of another tenant's: that there is one is nobody else's business. */
function notTheirs({ id, pooled }: VersionManifest): HoneError {
  return pooled
    ? new HoneError('SWAP_REFUSED', `${id} learned from several tenants, which learn apart now. Train a new one.`)
    : new HoneError('NOT_FOUND', `There is no version ${id}.`)
}

function infoOf(manifest: VersionManifest, bytes: number, serving: string): VersionInfo {
  return {
    id: manifest.id,
    serving: serving === manifest.id,
    createdAt: new Date(manifest.createdAt),
    bytes,
    pairs: manifest.pairs,
    gate: manifest.gate,
    ...(manifest.tenant === undefined ? {} : { tenant: manifest.tenant }),
    ...(manifest.forgotten ? { forgotten: true } : {}),
    ...(manifest.model?.pruned ? { pruned: true } : {}),
  }
}
