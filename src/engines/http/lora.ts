import { access } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { HoneError } from '../../errors.ts'
import type { LoraRef, Version } from '../../ports/engine.ts'
import type { ServerFacts } from './probe.ts'
import { type Server, tell } from './server.ts'

/** How requests name one version on a server. */
export interface Served {
  readonly model: string
  /** Fields that go into every request beside OpenAI's. */
  readonly extra: Readonly<Record<string, unknown>>
  /** Takes the LoRA off the server again, if this engine put it there. */
  release(): Promise<void>
}

/** LoRAs that this process loaded into vLLM, by the name they have there, and how many engines use each. */
export type Leases = Map<string, { users: number; readonly loaded: Promise<void> }>

/**
 * Puts a version's LoRA to work on the server, if it has one.
 *
 * @throws HoneError SWAP_REFUSED when this server can't, with what would make it possible.
 */
export async function serve(
  server: Server,
  { facts, version, leases }: { readonly facts: ServerFacts; readonly version: Version; readonly leases: Leases },
): Promise<Served> {
  if (facts.kind === 'llama-server') return onLlamaServer(server, facts, version)
  if (!version.lora) return { model: facts.model, extra: {}, release: async () => {} }
  if (facts.kind === 'vllm') return onVllm(server, version, version.lora, leases)
  const how =
    facts.kind === 'ollama'
      ? 'Ollama takes a LoRA only when a model is created (ADAPTER in a Modelfile)'
      : 'this server has no way to load a LoRA while it runs'
  throw new HoneError(
    'SWAP_REFUSED',
    `Version ${version.id} has a LoRA, but ${how}. Serve it in process (leave HONE_ENGINE_URL empty), or with vLLM.`,
  )
}

/** The name holds the LoRA's hash: what an earlier run left on the server under it is the same LoRA. */
async function onVllm(server: Server, version: Version, lora: LoraRef, leases: Leases): Promise<Served> {
  const name = `hone-${version.id}-${lora.sha256.slice(0, 12)}`
  const lease = leases.get(name) ?? { users: 0, loaded: load(server, name, lora) }
  leases.set(name, lease)
  lease.users++
  const leave = () => {
    if (--lease.users === 0) leases.delete(name)
    return lease.users
  }
  try {
    await lease.loaded
  } catch (error) {
    leave()
    throw error
  }
  async function release(): Promise<void> {
    if (leave() === 0) await tell(server, { to: 'unload_lora_adapter', body: { lora_name: name } })
  }
  return { model: name, extra: {}, release }
}

async function load(server: Server, name: string, lora: LoraRef): Promise<void> {
  const folder = await peftFolder(lora, name)
  try {
    await tell(server, { to: 'load_lora_adapter', body: { lora_name: name, lora_path: folder } })
  } catch (error) {
    if (!(error instanceof HoneError)) throw error
    if (error.code === 'INPUT' && /already been loaded/.test(error.message)) return
    const why =
      error.code === 'CONFIG' && /\(404\)/.test(error.message)
        ? 'it was started without --enable-lora --max-lora-rank 64 and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, ' +
          `or it can't see ${folder}`
        : error.message
    throw new HoneError('SWAP_REFUSED', `vLLM can't load the LoRA ${name}: ${why}`, { cause: error })
  }
}

/** vLLM reads PEFT folders; a version keeps one beside its GGUF. */
async function peftFolder(lora: LoraRef, name: string): Promise<string> {
  const path = resolve(lora.path)
  for (const folder of [path, join(dirname(path), 'peft'), dirname(path)]) {
    if (await exists(join(folder, 'adapter_config.json'))) return folder
  }
  throw new HoneError(
    'SWAP_REFUSED',
    `The LoRA ${name} has no PEFT folder (adapter_config.json) at or beside ${path}, and vLLM loads nothing else.`,
  )
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

/**
 * llama-server knows the LoRAs it was started with and takes a scale for each with every request. All are named each
 * time: without that, a LoRA given at the start would colour the bare base too.
 */
function onLlamaServer(server: Server, { model, loras }: ServerFacts, { id, lora }: Version): Served {
  const wanted = lora && resolve(lora.path)
  const found = loras.find(({ path }) => resolve(path) === wanted)
  if (lora && !found) {
    throw new HoneError(
      'SWAP_REFUSED',
      `Version ${id} has a LoRA that llama-server at ${server.root} was not started with; it can't load one later. ` +
        `Start it with --lora ${wanted} --lora-init-without-apply, use vLLM, or serve in process (no HONE_ENGINE_URL).`,
    )
  }
  const scales = loras.map((entry) => ({ id: entry.id, scale: entry === found ? 1 : 0 }))
  return { model, extra: scales.length === 0 ? {} : { lora: scales }, release: async () => {} }
}
