import { cp, mkdir, readdir, readFile, rename, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { asHoneError, HoneError } from '../src/errors.ts'
import type { Version } from '../src/ports/engine.ts'
import { folderBytes, removeFolder, syncFolder, writeDurably } from './files.ts'
import { sha256File } from './hash.ts'
import { manifestName, manifestText, readManifest, type VersionManifest } from './manifest.ts'

/** A version that has its folder and files but no manifest yet: measured by the gate, invisible to everyone else. */
export interface Candidate {
  readonly id: string
  readonly folder: string
  readonly version: Version
  readonly bytes: number
}

/** Where a finished training run left its files, and what it said of them. */
export interface Trained {
  readonly gguf: string
  readonly peft: string
  readonly sha256: string
}

/** A published version. */
export interface Published {
  readonly manifest: VersionManifest
  readonly folder: string
  readonly bytes: number
}

/** The model that all versions stand on, as it is now. */
export interface BaseIdentity {
  readonly path: string
  readonly sha256: string
  /** Absent: the engine doesn't tell its chat template, so it can't be compared. */
  readonly templateSha256?: string
}

/** The folders `versions/v1`, `v2`, …: immutable, numbered once and for ever, complete or not there. */
export interface Registry {
  /** Takes a run's files into a folder of their own under the next number. Nothing sees it before `publish`. */
  stage(trained: Trained): Promise<Candidate>
  /** Writes the manifest, last and durably: from now on the version exists. */
  publish(candidate: Candidate, manifest: VersionManifest): Promise<void>
  /** Removes a candidate that was not published. Its number is not used again. */
  discard(candidate: Candidate): Promise<void>
  /** Oldest first. */
  list(): Promise<readonly Published[]>
  get(id: string): Promise<Published>
  /** The version to load. @throws HoneError NOT_FOUND, LORA_MISMATCH (other base, other template, damaged file). */
  toVersion(id: string): Promise<Version>
  /** Removes what a crash left: folders without a manifest. Call it at start, when no run is on. */
  clean(): Promise<readonly string[]>
}

/**
 * The registry of versions in `folder`. `base` is asked each time, for the base model may have been exchanged.
 *
 * @example
 * const registry = createRegistry(join(dataDir, 'versions'), async () => ({ path, sha256 }))
 * await slot.swap(await registry.toVersion('v3'))
 */
export function createRegistry(folder: string, base: () => Promise<BaseIdentity>): Registry {
  const root = resolve(folder)

  async function get(id: string): Promise<Published> {
    const path = join(root, id)
    const manifest = /^v[1-9]\d*$/.test(id) ? await readManifest(path) : undefined
    if (!manifest || manifest.id !== id) throw new HoneError('NOT_FOUND', `There is no version ${id}.`)
    return { manifest, folder: path, bytes: await folderBytes(path) }
  }

  return {
    get,
    async stage(trained) {
      await refuseDamaged(trained.gguf, trained.sha256, 'The new LoRA')
      return guarded(async () => stageIn(root, trained, (await base()).path))
    },
    publish: (candidate, manifest) =>
      guarded(async () => {
        await writeDurably(join(candidate.folder, `${manifestName}.part`), manifestText(manifest))
        await rename(join(candidate.folder, `${manifestName}.part`), join(candidate.folder, manifestName))
        await syncFolder(candidate.folder)
        await syncFolder(root)
      }),
    discard: (candidate) => guarded(() => removeFolder(candidate.folder)),
    async list() {
      const published = await Promise.all((await numbers(root)).map((n) => get(`v${n}`).catch(() => undefined)))
      return published.filter((version) => version !== undefined)
    },
    async toVersion(id) {
      const { path, sha256, templateSha256 } = await base()
      if (id === 'v0') return { id: 'v0', base: path }
      const { manifest, folder: own } = await get(id)
      const lora = { id, path: join(own, manifest.lora.file), sha256: manifest.lora.sha256 }
      if (manifest.base.sha256 !== sha256) throw mismatch(id, 'another base model')
      if (templateSha256 !== undefined && manifest.templateSha256 !== templateSha256) {
        throw mismatch(id, 'another chat template')
      }
      await refuseDamaged(lora.path, lora.sha256, `The LoRA of ${id}`)
      return { id, base: path, lora, ...(manifest.profile === undefined ? {} : { profile: manifest.profile }) }
    },
    async clean() {
      const left: string[] = []
      for (const n of await numbers(root)) {
        if (await readManifest(join(root, `v${n}`))) continue
        await removeFolder(join(root, `v${n}`))
        left.push(`v${n}`)
      }
      return left
    },
  }
}

/**
 * Reserves the next number and moves the files in. The number is written down before it is used, so that it is used
 * once only: llama.cpp keeps a LoRA by its path, and an old one would come back under a path that was used again.
 */
async function stageIn(root: string, trained: Trained, basePath: string): Promise<Candidate> {
  await mkdir(root, { recursive: true })
  const counter = join(root, 'counter')
  const last = Number(await readFile(counter, 'utf8').catch(() => '0')) || 0
  const next = Math.max(last, ...(await numbers(root))) + 1
  await writeDurably(`${counter}.part`, `${next}\n`)
  await rename(`${counter}.part`, counter)
  const id = `v${next}`
  const folder = join(root, id)
  await mkdir(folder)
  try {
    await move(trained.gguf, join(folder, 'lora.gguf'))
    await move(trained.peft, join(folder, 'peft'))
    await syncFolder(folder)
    const { size: bytes } = await stat(join(folder, 'lora.gguf'))
    const lora = { id, path: join(folder, 'lora.gguf'), sha256: trained.sha256 }
    return { id, folder, version: { id, base: basePath, lora }, bytes }
  } catch (error) {
    await removeFolder(folder).catch(() => {})
    throw error
  }
}

/** Moves a file or folder, by copying where it lies on another file system. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await cp(from, to, { recursive: true })
    await removeFolder(from)
  }
}

async function numbers(root: string): Promise<readonly number[]> {
  const names = await readdir(root).catch(() => [])
  return names.flatMap((name) => (/^v[1-9]\d*$/.test(name) ? [Number(name.slice(1))] : [])).toSorted((a, b) => a - b)
}

async function refuseDamaged(path: string, sha256: string, what: string): Promise<void> {
  const found = await sha256File(path).catch((error: unknown) => {
    throw asHoneError(error, 'LORA_MISMATCH', `${what} can't be read`)
  })
  if (found !== sha256)
    throw new HoneError('LORA_MISMATCH', `${what} is damaged: its checksum is not the recorded one.`)
}

function mismatch(id: string, what: string): HoneError {
  return new HoneError('LORA_MISMATCH', `${id} was trained for ${what} than the one that is set up now.`)
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw asHoneError(error, 'STORE', 'The version could not be written')
  }
}
