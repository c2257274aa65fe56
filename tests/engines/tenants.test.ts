import assert from 'node:assert/strict'
import { join } from 'node:path'
import { silent } from '../../src/log.ts'
import type { ChatMessage, Engine, Version } from '../../src/ports/engine.ts'
import { createSlot } from '../../src/slot.ts'
import { withTenants } from '../../src/tenants.ts'
import { writeTinyLora } from '../fixtures/gguf.ts'
import { tiny } from './tiny.ts'

const asked: readonly ChatMessage[] = [{ role: 'user', content: 'How long?' }]
const scoreOf = async ({ score }: Engine) => (await score?.(asked, 'Two days.'))?.logProbability

describe('versions of tenants on llama.cpp', () => {
  it('are each their own LoRA on one base, and again the same once they were dropped and are loaded anew', async () => {
    await using models = tiny()
    const host = models.host({ contextTokens: 256, parallel: 1 })
    const base = models.modelPath
    const tenants = new Map<string, Version>()
    for (const [n, name] of ['T1', 'T2', 'T3'].entries()) {
      const lora = writeTinyLora(join(models.folder, `${name}.gguf`), { seed: n + 5 })
      tenants.set(name, { id: `v${n + 1}`, base, lora })
    }
    let alive = 0
    let most = 0
    const load = async (version: Version): Promise<Engine> => {
      const engine = await host.load(version)
      most = Math.max(most, ++alive)
      const dispose = async () => {
        alive -= 1
        await engine[Symbol.asyncDispose]()
      }
      return { ...engine, [Symbol.asyncDispose]: dispose }
    }
    await using slot = withTenants({
      slot: await createSlot({ load, first: { id: 'v0', base }, log: silent }),
      load,
      versionOf: async (tenant) => tenants.get(tenant),
      most: 1,
      log: silent,
    })
    const scores = async () => {
      const found: (number | undefined)[] = [await slot.use(scoreOf)]
      for (const name of tenants.keys()) found.push(await (await slot.of?.(name))?.use(scoreOf))
      return found
    }
    const first = await scores()
    assert.equal(new Set(first).size, 4, 'the base and three LoRAs say four different things')
    assert.deepEqual([await scores(), most], [first, 2])
  })
})
