import type { Store } from '../src/ports/store.ts'
import { type FeedbackRow, type RowFormat, toRows } from './formats.ts'
import type { Pair, Unpaired } from './pairs.ts'
import { applyPolicy, defaultPolicy } from './policy.ts'
import { collect } from './select.ts'
import { type Files, type Toolkit, toolkitFiles } from './toolkits.ts'

/** An export has no run to be fair in, so nothing is capped. */
const uncapped = { capFromPeople: Number.POSITIVE_INFINITY, perPrompt: Number.POSITIVE_INFINITY }

/**
 * What people said, as rows of one of TRL's formats, oldest first and each row once. Only the channels named in
 * `channels` are read, for the operator has allowed training on those; rows with secrets and rows that contradict each
 * other are left out, as in a run.
 *
 * @example const rows = await exportFeedback(store, 'dpo', ['web', 'terminal', 'import'])
 */
export async function exportFeedback(
  store: Store,
  format: RowFormat,
  channels: readonly string[],
): Promise<readonly object[]> {
  const rows = await feedbackOf(store, channels)
  const unique = new Map(toRows(rows, format).map((row) => [JSON.stringify(row), row]))
  return [...unique.values()]
}

/** The same as files for another trainer. @example await exportFor(store, 'axolotl', { channels: ['web'], model }) */
export async function exportFor(
  store: Store,
  toolkit: Toolkit,
  { channels, model }: { readonly channels: readonly string[]; readonly model: string },
): Promise<Files> {
  return toolkitFiles(toolkit, await feedbackOf(store, channels), model)
}

async function feedbackOf(store: Store, channels: readonly string[]): Promise<readonly FeedbackRow[]> {
  const { pairs, unpaired } = await collect(store)
  const tenants = new Set([...pairs, ...unpaired].map(({ tenant }) => tenant))
  const rows = [...tenants].flatMap((tenant) => {
    const policy = { ...defaultPolicy, ...uncapped, trainOn: channels, tenant }
    return [...applyPolicy(pairs, policy).kept, ...applyPolicy(unpaired, policy).kept]
  })
  rows.sort((a, b) => a.at.getTime() - b.at.getTime())
  return feedbackRows(rows)
}

/** Pairs and lone judgements as rows of TRL's formats know them. */
export function feedbackRows(rows: readonly (Pair | Unpaired)[]): readonly FeedbackRow[] {
  return rows.map((row): FeedbackRow => {
    const { prompt } = row
    return 'chosen' in row
      ? { kind: 'preference', prompt, chosen: row.chosen, rejected: row.rejected }
      : { kind: 'rated', prompt, completion: row.text, label: row.liked }
  })
}
