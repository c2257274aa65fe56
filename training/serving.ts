import { stat } from 'node:fs/promises'
import { HoneError } from '../src/errors.ts'
import type { Logger } from '../src/log.ts'
import type { Engine, EngineSlot } from '../src/ports/engine.ts'
import type { VersionInfo } from '../src/ports/learning.ts'
import type { Store } from '../src/ports/store.ts'
import type { VersionManifest } from './manifest.ts'
import type { Registry } from './registry.ts'

/** What changing the serving version needs. */
export interface ServingParts {
  readonly store: Store
  readonly slot: EngineSlot
  readonly registry: Registry
  /** The base model: a GGUF's path or a server's model name. */
  readonly base: string
  readonly log: Logger
}

/** Changes which version serves, and says which there are. */
export interface ServingVersions {
  /** Loads, proves and serves a version. On any failure the one before goes on serving, on disk too. */
  promote(version: string, by: string, why: string): Promise<void>
  rollback(by: string): Promise<string>
  versions(): Promise<readonly VersionInfo[]>
}

const rolledBack = 'rollback from '

/** @example await servingVersions({ store, slot, registry, base, log }).promote('v2', 'web:anna', 'looks good') */
export function servingVersions({ store, slot, registry, base, log }: ServingParts): ServingVersions {
  async function promote(version: string, by: string, why: string): Promise<void> {
    const before = slot.version
    const manifest = version === 'v0' ? undefined : (await registry.get(version)).manifest
    if (manifest?.gate.verdict === 'refuse') {
      const failed = manifest.gate.checks.filter(({ pass }) => !pass).map(({ id }) => id)
      throw new HoneError('SWAP_REFUSED', `The gate refused ${version}: ${failed.join(', ')}.`)
    }
    const next = await registry.toVersion(version, base)
    if (before.id !== version) await slot.swap(next, (engine) => prove(engine, manifest))
    try {
      await store.serving.set(version, by, why)
    } catch (error) {
      // The disk decides what serves after a restart, so memory must not be ahead of it.
      if (before.id !== version) await slot.swap(before)
      throw error
    }
    log.info('version.serving', { version, before: before.id, by, why })
  }

  return {
    promote,
    async rollback(by) {
      const entries = await store.serving.log(1000)
      const { current, previous } = standing(entries.toReversed())
      if (previous === undefined) throw new HoneError('NOT_FOUND', `Nothing served before ${current}.`)
      await promote(previous, by, `${rolledBack}${current}`)
      return previous
    },
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
      const trained = (await registry.list()).map(({ manifest, bytes }) => infoOf(manifest, bytes, serving))
      return [bare, ...trained]
    },
  }
}

/**
 * Throws unless the LoRA is live on this engine: the probe's log-probability must be nearer to what the gate measured
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
    throw new HoneError('SWAP_REFUSED', `The LoRA of ${manifest.id} has no effect on the engine: it was not loaded.`)
  }
}

/** What serves and what served before it, where a rollback takes back a promotion instead of adding one. */
export function standing(oldestFirst: readonly { readonly version: string; readonly why: string }[]): {
  readonly current: string
  readonly previous: string | undefined
} {
  const stack = ['v0']
  for (const { version, why } of oldestFirst) {
    if (why.startsWith(rolledBack) && stack.at(-2) === version) stack.pop()
    else if (stack.at(-1) !== version) stack.push(version)
  }
  return { current: stack.at(-1) ?? 'v0', previous: stack.at(-2) }
}

function infoOf(manifest: VersionManifest, bytes: number, serving: string): VersionInfo {
  return {
    id: manifest.id,
    serving: serving === manifest.id,
    createdAt: new Date(manifest.createdAt),
    bytes,
    pairs: manifest.pairs,
    gate: manifest.gate,
    ...(manifest.forgotten ? { forgotten: true } : {}),
  }
}
