import { cp, mkdir, readdir, readFile, rename, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { asHoneError, HoneError } from '../src/errors.ts'
import type { Version } from '../src/ports/engine.ts'
import { baseSha256 } from './base.ts'
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
  /** Absent where there is a GGUF alone, and where every weight was trained. */
  readonly peft?: string
  /** Hugging Face folder of the model of which every weight was trained; `gguf` is then that model. */
  readonly model?: string
  readonly sha256: string
}

/** A published version. */
export interface Published {
  readonly manifest: VersionManifest
  readonly folder: string
  readonly bytes: number
}

/**
 * The folders `versions/v1`, `v2`, …: immutable but for who is forgotten and what is pruned, numbered once and for ever,
 * complete or not there.
 */
export interface Registry {
  /** Takes a run's files into a folder of their own under the next number. Nothing sees it before `publish`. */
  stage(trained: Trained, base: string): Promise<Candidate>
  /** Writes the manifest, last and durably: from now on the version exists. */
  publish(candidate: Candidate, manifest: VersionManifest): Promise<void>
  /** Removes a candidate that was not published. Its number is not used again. */
  discard(candidate: Candidate): Promise<void>
  /** Marks a version that learned from a person who was forgotten since, and takes their id out of its manifest. */
  markForgotten(id: string, person: string): Promise<void>
  /** Removes the files of a version that is a model of its own; its manifest says so and stays. */
  prune(id: string): Promise<void>
  /** Oldest first. */
  list(): Promise<readonly Published[]>
  get(id: string): Promise<Published>
  /**
   * The version to load on this base (a GGUF's path or a server's model name).
   *
   * @throws HoneError NOT_FOUND; LORA_MISMATCH for another base, another chat template or a damaged file.
   */
  toVersion(id: string, base: string): Promise<Version>
  /** SHA-256 of a base, as manifests name it. */
  baseSha256(base: string): Promise<string>
}

/** What the registry checks beyond its own files. */
export interface RegistryOptions {
  /** SHA-256 of the chat template that the engine serves with, where it tells; a LoRA of another one is refused. */
  readonly templateSha256?: string
}

/**
 * Opens the registry of versions in `folder` and removes what a crash left there: folders without a manifest. So it
 * must be opened by the one process that owns the data folder.
 *
 * @example
 * const registry = await openRegistry(join(dataDir, 'versions'))
 * await slot.swap(await registry.toVersion('v3', 'model.gguf'))
 */
export async function openRegistry(folder: string, { templateSha256 }: RegistryOptions = {}): Promise<Registry> {
  const root = resolve(folder)
  await guarded(() => clean(root))
  const hashOf = (base: string) => baseSha256(base, join(root, 'base.json'))
  const get = (id: string) => read(root, id)
  return {
    get,
    baseSha256: hashOf,
    stage: (trained, base) =>
      guarded(async () => {
        await refuseDamaged(trained.gguf, trained.sha256, trained.model ? 'The new model' : 'The new LoRA')
        return stageIn(root, trained, base)
      }),
    publish: ({ folder: own }, manifest) => guarded(() => writeManifest(root, own, manifest)),
    async markForgotten(id, person) {
      const { manifest, folder: own } = await get(id)
      await guarded(() => writeManifest(root, own, withoutPerson(manifest, person)))
    },
    async prune(id) {
      const { manifest, folder: own } = await get(id)
      const { model } = manifest
      if (!model) return
      // First the word, then the deed: what a crash leaves between them is removed at the next start.
      await guarded(() => writeManifest(root, own, { ...manifest, model: { ...model, pruned: true } }))
      await guarded(() => removeModel(own))
    },
    discard: (candidate) => guarded(() => removeFolder(candidate.folder)),
    async list() {
      const published = await Promise.all((await numbers(root)).map((n) => get(`v${n}`).catch(() => undefined)))
      return published.filter((version) => version !== undefined)
    },
    async toVersion(id, base) {
      if (id === 'v0') return { id, base }
      const { manifest, folder: own } = await get(id)
      if (manifest.base.sha256 !== (await hashOf(base))) throw mismatch(id, 'another base model')
      if (templateSha256 !== undefined && manifest.templateSha256 !== templateSha256) {
        throw mismatch(id, 'another chat template')
      }
      const weights = await weightsOf(manifest, own)
      return { id, base, ...weights, ...(manifest.profile === undefined ? {} : { profile: manifest.profile }) }
    },
  }
}

/** A version's LoRA or model, whose file is the one that was published. */
async function weightsOf({ id, lora, model }: VersionManifest, own: string): Promise<Pick<Version, 'lora' | 'model'>> {
  if (model?.pruned) throw new HoneError('NOT_FOUND', `The model of ${id} was removed to save space. Train it again.`)
  const found = model ?? lora
  if (!found) throw new HoneError('LORA_MISMATCH', `${id} names neither a LoRA nor a model.`)
  const { file, sha256 } = found
  const path = join(own, file)
  await refuseDamaged(path, sha256, `The ${model ? 'model' : 'LoRA'} of ${id}`)
  return model ? { model: { path, sha256 } } : { lora: { id, path, sha256 } }
}

async function removeModel(own: string): Promise<void> {
  for (const name of ['model.gguf', 'model']) await removeFolder(join(own, name))
}

async function read(root: string, id: string): Promise<Published> {
  const folder = join(root, id)
  const manifest = /^v[1-9]\d*$/.test(id) ? await readManifest(folder) : undefined
  if (!manifest || manifest.id !== id) throw new HoneError('NOT_FOUND', `There is no version ${id}.`)
  return { manifest, folder, bytes: await folderBytes(folder) }
}

/** Whole or not at all: written beside its place, on the disk before it is renamed, the rename on the disk too. */
async function writeManifest(root: string, folder: string, manifest: VersionManifest): Promise<void> {
  const path = join(folder, manifestName)
  await writeDurably(`${path}.part`, manifestText(manifest))
  await rename(`${path}.part`, path)
  await syncFolder(folder)
  await syncFolder(root)
}

function withoutPerson(manifest: VersionManifest, person: string): VersionManifest {
  const rename = (name: string) => (name === person ? 'forgotten' : name)
  const pairs = manifest.pairs.map((pair) => ({ ...pair, people: [...new Set(pair.people.map(rename))] }))
  return { ...manifest, pairs, forgotten: true }
}

async function clean(root: string): Promise<void> {
  await mkdir(root, { recursive: true })
  for (const n of await numbers(root)) {
    const folder = join(root, `v${n}`)
    const names = await readdir(folder)
    // A manifest that can't be read is kept: a person may want to repair it, and it doesn't count as a version.
    if (!names.includes(manifestName)) await removeFolder(folder)
    else if ((await readManifest(folder))?.model?.pruned) await removeModel(folder)
  }
}

/**
 * Reserves the next number and moves the files in. The number is written down before it is used, so that it is used
 * once only: llama.cpp keeps a LoRA by its path, and an old one would come back under a path that was used again.
 */
async function stageIn(root: string, trained: Trained, basePath: string): Promise<Candidate> {
  const counter = join(root, 'counter')
  const last = Number(await readFile(counter, 'utf8').catch(() => '0')) || 0
  const next = Math.max(last, ...(await numbers(root))) + 1
  await writeDurably(`${counter}.part`, `${next}\n`)
  await rename(`${counter}.part`, counter)
  const id = `v${next}`
  const folder = join(root, id)
  await mkdir(folder)
  try {
    const path = join(folder, trained.model ? 'model.gguf' : 'lora.gguf')
    await move(trained.gguf, path)
    if (trained.peft) await move(trained.peft, join(folder, 'peft'))
    if (trained.model) await move(trained.model, join(folder, 'model'))
    await syncFolder(folder)
    const { size: bytes } = await stat(path)
    return { id, folder, version: { id, base: basePath, ...weightsRef(id, path, trained) }, bytes }
  } catch (error) {
    await removeFolder(folder).catch(() => {})
    throw error
  }
}

/** How a version names what a run made, where it lies at `path`. */
export function weightsRef(id: string, path: string, { sha256, model }: Trained): Pick<Version, 'lora' | 'model'> {
  return model === undefined ? { lora: { id, path, sha256 } } : { model: { path, sha256 } }
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
