/** Publishes versions without end, until it is killed:   node registry-child.ts FOLDER */
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openRegistry } from '../../training/registry.ts'

const root = process.argv[2] ?? ''
const base = join(root, 'base.gguf')
const registry = await openRegistry(join(root, 'versions'))
const text = 'weights of a LoRA '.repeat(20_000)
const sha256 = createHash('sha256').update(text).digest('hex')
for (let n = 0; ; n++) {
  const output = join(root, `output-${process.pid}-${n}`)
  await mkdir(join(output, 'peft'), { recursive: true })
  await writeFile(join(output, 'peft', 'adapter_config.json'), '{}')
  await writeFile(join(output, 'lora.gguf'), text)
  process.stdout.write('writing\n')
  const trained = { gguf: join(output, 'lora.gguf'), peft: join(output, 'peft'), sha256 }
  const candidate = await registry.stage(trained, base)
  process.stdout.write('staged\n')
  await registry.publish(candidate, {
    format: 1,
    id: candidate.id,
    createdAt: new Date().toISOString(),
    job: `job_${n}`,
    base: { path: base, sha256: await registry.baseSha256(base) },
    lora: { file: 'lora.gguf', sha256, bytes: candidate.bytes },
    templateSha256: 'template',
    dataset: { path: '/datasets/1', hash: 'hash', shuffledLabels: false },
    method: 'dpo',
    seed: 1,
    hyper: {},
    pairs: [],
    gate: { verdict: 'promote', checks: [] },
  })
  process.stdout.write(`published ${candidate.id}\n`)
}
