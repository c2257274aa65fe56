import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { VersionManifest } from '../../training/manifest.ts'
import { type Candidate, openRegistry } from '../../training/registry.ts'

const sha = (text: string) => createHash('sha256').update(text).digest('hex')

describe('the registry of versions', () => {
  let dir: string
  let base: string
  let root: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hone-registry-'))
    base = join(dir, 'base.gguf')
    root = join(dir, 'versions')
    await writeFile(base, 'weights')
  })
  afterEach(() => rm(dir, { recursive: true }))

  async function trained(text = 'lora') {
    const output = await mkdtemp(join(dir, 'output-'))
    await mkdir(join(output, 'peft'))
    await writeFile(join(output, 'peft', 'adapter_config.json'), '{}')
    await writeFile(join(output, 'lora.gguf'), text)
    return { gguf: join(output, 'lora.gguf'), peft: join(output, 'peft'), sha256: sha(text) }
  }
  function manifest({ id, bytes }: Candidate, more: Partial<VersionManifest> = {}): VersionManifest {
    return {
      format: 1,
      id,
      createdAt: '2026-05-01T10:00:00.000Z',
      job: 'job_1',
      base: { path: base, sha256: sha('weights') },
      lora: { file: 'lora.gguf', sha256: sha('lora'), bytes },
      templateSha256: 'template',
      dataset: { path: '/datasets/1', hash: 'hash', shuffledLabels: false },
      method: 'dpo',
      seed: 42,
      hyper: { learningRate: 1e-3 },
      pairs: [{ origin: 'votes', chosen: 'a', rejected: 'b', people: ['web:anna'] }],
      gate: { verdict: 'promote', checks: [] },
      ...more,
    }
  }
  async function published(more: Partial<VersionManifest> = {}) {
    const registry = await openRegistry(root)
    const candidate = await registry.stage(await trained(), base)
    await registry.publish(candidate, manifest(candidate, more))
    return { registry, candidate }
  }

  it('counts versions up, each under its own path, with the PEFT folder beside the LoRA', async () => {
    const first = await published()
    const second = await published()
    assert.deepEqual([first.candidate.id, second.candidate.id], ['v1', 'v2'])
    assert.deepEqual((await readdir(join(root, 'v1'))).sort(), ['lora.gguf', 'manifest.json', 'peft'])
    assert.deepEqual(
      (await second.registry.list()).map(({ manifest: { id } }) => id),
      ['v1', 'v2'],
    )
  })

  it('answers what to load: the path, the checksum, the profile', async () => {
    const { registry } = await published({ profile: 'profile-1' })
    assert.deepEqual(await registry.toVersion('v0', base), { id: 'v0', base })
    assert.deepEqual(await registry.toVersion('v1', base), {
      id: 'v1',
      base,
      lora: { id: 'v1', path: join(root, 'v1', 'lora.gguf'), sha256: sha('lora') },
      profile: 'profile-1',
    })
  })

  it('keeps a candidate invisible until its manifest is there', async () => {
    const registry = await openRegistry(root)
    const candidate = await registry.stage(await trained(), base)
    assert.deepEqual(await registry.list(), [])
    await assert.rejects(registry.toVersion(candidate.id, base), { code: 'NOT_FOUND' })
  })

  it('keeps a model of its own in place of a LoRA, until it is pruned: then its manifest alone is left', async () => {
    const registry = await openRegistry(root)
    const output = await mkdtemp(join(dir, 'output-'))
    await mkdir(join(output, 'model'))
    await writeFile(join(output, 'model', 'config.json'), '{}')
    await writeFile(join(output, 'model.gguf'), 'whole')
    const made = { gguf: join(output, 'model.gguf'), model: join(output, 'model'), sha256: sha('whole') }
    const candidate = await registry.stage(made, base)
    const { lora: _, ...rest } = manifest(candidate)
    const model = { file: 'model.gguf', sha256: sha('whole'), bytes: candidate.bytes } as const
    await registry.publish(candidate, { ...rest, model })
    const version = { id: 'v1', base, model: { path: join(root, 'v1', 'model.gguf'), sha256: sha('whole') } }
    assert.deepEqual([candidate.version, await registry.toVersion('v1', base)], [version, version])
    await registry.prune('v1')
    // As a crash between the word and the deed would leave it.
    await writeFile(join(root, 'v1', 'model.gguf'), 'whole')
    await assert.rejects(registry.toVersion('v1', base), { code: 'NOT_FOUND', message: /removed to save space/ })
    const reopened = await openRegistry(root)
    assert.deepEqual(await readdir(join(root, 'v1')), ['manifest.json'])
    assert.equal((await reopened.get('v1')).manifest.model?.pruned, true)
  })

  it('never uses a number twice, for llama.cpp keeps a LoRA by its path', async () => {
    const registry = await openRegistry(root)
    const first = await registry.stage(await trained(), base)
    await registry.discard(first)
    assert.equal((await registry.stage(await trained(), base)).id, 'v2')
    const reopened = await openRegistry(root)
    assert.deepEqual(await readdir(root).then((names) => names.filter((name) => /^v\d/.test(name))), [])
    assert.equal((await reopened.stage(await trained(), base)).id, 'v3')
  })

  it('refuses a LoRA of another base, another chat template, or a damaged file', async () => {
    const { registry } = await published()
    const other = join(dir, 'other.gguf')
    await writeFile(other, 'other weights')
    await assert.rejects(registry.toVersion('v1', other), { code: 'LORA_MISMATCH', message: /another base/ })
    const strict = await openRegistry(root, { templateSha256: 'another template' })
    await assert.rejects(strict.toVersion('v1', base), { code: 'LORA_MISMATCH', message: /chat template/ })
    await writeFile(join(root, 'v1', 'lora.gguf'), 'lorA')
    await assert.rejects(registry.toVersion('v1', base), { code: 'LORA_MISMATCH', message: /damaged/ })
  })

  it('notices a base that was exchanged under the same path', async () => {
    const { registry } = await published()
    await registry.toVersion('v1', base)
    await writeFile(base, 'other weights')
    await assert.rejects(registry.toVersion('v1', base), { code: 'LORA_MISMATCH' })
  })

  it('refuses a trained file that is not the one the trainer wrote, and takes nothing', async () => {
    const registry = await openRegistry(root)
    const output = await trained()
    await writeFile(output.gguf, 'half')
    await assert.rejects(registry.stage(output, base), { code: 'LORA_MISMATCH' })
    assert.deepEqual(await registry.list(), [])
  })

  it('refuses names that are no version, so no path can be asked for', async () => {
    const { registry } = await published()
    for (const id of ['../v1', 'v1/..', 'v01', 'latest', ''])
      await assert.rejects(registry.get(id), { code: 'NOT_FOUND' })
  })

  it('keeps a report whole: what was not a number, intervals, and what a person has to decide', async () => {
    const check = { id: 'x', what: 'x', value: Number.NaN, limit: '> 0', pass: false, n: 0 }
    const open = { ...check, value: 1, interval: [0, 1] as const, onFail: 'hold' as const }
    const { registry } = await published({ gate: { verdict: 'refuse', checks: [check, open] } })
    assert.deepEqual((await registry.get('v1')).manifest.gate.checks, [check, open])
  })

  it('has, wherever a crash cuts the work, whole versions only', async () => {
    const { registry, candidate } = await published()
    const next = await registry.stage(await trained(), base)
    await registry.publish(next, manifest(next))
    const whole = await snapshot(join(root, next.id))
    // Every state of the folder that a crash can leave: files appear one by one, the manifest last.
    for (let files = 0; files <= whole.length; files++) {
      const cut = join(dir, `cut-${files}`)
      await cp(join(root, candidate.id), join(cut, 'v1'), { recursive: true })
      await mkdir(join(cut, 'v2'), { recursive: true })
      for (const file of whole.slice(0, files)) await writeWhole(join(cut, 'v2'), file)
      const reopened = await openRegistry(cut)
      const ids = (await reopened.list()).map(({ manifest: { id } }) => id)
      assert.deepEqual(ids, files === whole.length ? ['v1', 'v2'] : ['v1'])
      if (files < whole.length) assert.deepEqual(await readdir(cut), ['v1'])
    }
  })

  it('does not count a manifest that was cut short', async () => {
    const { registry } = await published()
    const path = join(root, 'v1', 'manifest.json')
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, 50))
    assert.deepEqual(await registry.list(), [])
    await assert.rejects(registry.get('v1'), { code: 'NOT_FOUND' })
  })
})

interface Kept {
  readonly name: string
  readonly text: string
}

/** Files of a version in the order in which they are made. */
async function snapshot(folder: string): Promise<readonly Kept[]> {
  const names = ['lora.gguf', 'peft/adapter_config.json', 'manifest.json.part', 'manifest.json']
  return Promise.all(
    names.map(async (name) => ({ name, text: await readFile(join(folder, name.replace('.part', '')), 'utf8') })),
  )
}

async function writeWhole(folder: string, { name, text }: Kept): Promise<void> {
  await mkdir(join(folder, name, '..'), { recursive: true })
  await writeFile(join(folder, name), text)
}
