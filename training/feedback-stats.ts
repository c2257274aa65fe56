import type { Store } from '../src/ports/store.ts'
import { agreementOf } from './raters.ts'
import { collect, minRows } from './select.ts'

/**
 * Counts for `hone feedback stats`, in the order in which they are read.
 *
 * @example (await feedbackStats(store)).pairs
 */
export async function feedbackStats(store: Store): Promise<Readonly<Record<string, number>>> {
  const days = await store.feedback.counts()
  const { pairs, unpaired, judgements } = await collect(store)
  const { repeats, share } = agreementOf(judgements)
  const from = (origin: string) => pairs.filter((pair) => pair.origin === origin).length
  return {
    'thumbs up': days.reduce((sum, { up }) => sum + up, 0),
    'thumbs down': days.reduce((sum, { down }) => sum + down, 0),
    pairs: pairs.length,
    'pairs from thumbs': from('votes'),
    'pairs from corrections': from('correction'),
    'pairs from duels': from('duel'),
    'pairs from imports': from('import'),
    'judged alone': unpaired.length,
    'pairs still missing to train': Math.max(0, minRows - pairs.length),
    people: new Set([...pairs, ...unpaired].flatMap((row) => row.people)).size,
    'repeated judgements': repeats,
    ...(share === undefined ? {} : { 'per cent of them agree': Math.round(share * 100) }),
  }
}
