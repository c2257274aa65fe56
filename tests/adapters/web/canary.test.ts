import assert from 'node:assert/strict'
import type { Page } from '../../../adapters/web/render/layout.ts'
import { type LearningView, learningPanel } from '../../../adapters/web/render/learning.ts'
import type { VersionInfo } from '../../../src/ports/learning.ts'
import type { Canary } from '../../../src/ports/live.ts'
import type { Job } from '../../../src/ports/store.ts'

const at = new Date('2026-05-01T10:00:00Z')
const page: Page = {
  ...{ title: 'Hone', csrf: 'token', admin: true, personName: 'Anna', notice: '', learning: true, replays: false },
  url: (path) => path,
  asset: (name) => name,
  newEvent: () => 'e',
}
const canary: Canary = {
  ...{ version: 'v2', incumbent: 'v1', share: 0.2, startedAt: at, held: false, summary: '' },
  thumbs: { canary: { up: 9, down: 3 }, incumbent: { up: 30, down: 18 } },
  duels: { up: 5, down: 1 },
  evidence: { better: 4.2, worse: 0.1, decides: 20 },
}
const version = (id: string, more: Partial<VersionInfo>): VersionInfo => {
  return { ...{ id, serving: false, createdAt: at, bytes: 1000, pairs: [] }, ...more }
}

/** The panel's text without tags. */
async function shown(
  versions: readonly VersionInfo[],
  { jobs = [], became = {} }: Partial<LearningView> = {},
): Promise<string> {
  const panel = String(await learningPanel(page, { plan: 'none', versions, jobs, became, steps: [], votes: [] }))
  return panel.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
}

describe('the learning page while a canary is on', () => {
  const serving = version('v1', { serving: true })

  it('shows both versions with their people and their evidence, and which one is the canary', async () => {
    const text = await shown([serving, version('v2', { canary })])
    assert.match(text, /Canary v2 answers 20 % of threads since/)
    assert.match(text, /v2 9 of 12 5 4\.2 v1 30 of 48 1 0\.1/)
    assert.match(text, /Evidence of 20 decides/)
    assert.match(text, /v2 canary .*v1 serving/)
  })

  it('says when an admin has to decide, and shows nothing of it when there is none', async () => {
    const held = version('v2', { canary: { ...canary, held: true } })
    assert.match(await shown([serving, held]), /An admin may promote v2 or roll back/)
    assert.doesNotMatch(await shown([serving, version('v2', {})]), /canary/i)
  })

  it('says of a run that passed the gate what became of its canary, once it is over', async () => {
    const report = { verdict: 'promote', checks: [] }
    const job: Job = {
      id: 'j1',
      kind: 'train',
      by: 'web:anna',
      state: 'canary',
      detail: { version: 'v2', report },
      startedAt: at,
      endedAt: at,
    }
    const rolledBack = /have the last word\. Canary v2 is rolled back/
    assert.doesNotMatch(await shown([serving], { jobs: [job] }), rolledBack)
    const over = await shown([serving], { jobs: [job], became: { j1: 'Canary v2 is rolled back: command.' } })
    assert.match(over, rolledBack)
    assert.match(over, /canary, over Canary v2/)
    assert.equal(over.split('Canary v2 is rolled back: command.').length, 3)
  })
})
