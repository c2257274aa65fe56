import type { Store } from '../src/ports/store.ts'
import { type FeedbackRow, type RowFormat, toRows } from './formats.ts'
import { pairsOf, unpairedOf } from './pairs.ts'

/**
 * What people said, as rows of one of TRL's formats, oldest first and each row once. Only the channels named in
 * `channels` are read: the operator has allowed training on those.
 *
 * @example const rows = await exportFeedback(store, 'dpo', ['web', 'terminal', 'import'])
 */
export async function exportFeedback(
  store: Store,
  format: RowFormat,
  channels: readonly string[],
): Promise<readonly object[]> {
  const rows: FeedbackRow[] = []
  for await (const judged of store.feedback.judged()) {
    if (!channels.includes(judged.channel)) continue
    for (const { prompt, chosen, rejected } of pairsOf(judged)) {
      rows.push({ kind: 'preference', prompt, chosen, rejected })
    }
    for (const { prompt, text, liked } of unpairedOf(judged)) {
      rows.push({ kind: 'rated', prompt, completion: text, label: liked })
    }
  }
  const unique = new Map(toRows(rows, format).map((row) => [JSON.stringify(row), row]))
  return [...unique.values()]
}
