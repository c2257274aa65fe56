import type { Method } from '../src/ports/trainer.ts'
import { minRows, type Selection } from './select.ts'

/** This many times as many lone thumbs as pairs, and they say more than the pairs do. */
const loneOverPairs = 4
/** Fewer thumbs of the rarer kind say nothing about what people don't (or do) like. */
const rarer = 8

/** A method, and the reason in words. */
export interface Choice {
  readonly method: Method
  readonly why: string
}

/**
 * The method that the data allow, as `--method auto` takes it where no comparison has measured one. Pairs say most, so
 * `dpo` where there are enough; `kto` where lone thumbs of both kinds outweigh them; `sft` where people only ever liked. Where nothing is enough it is `dpo`,
 * whose refusal says what is missing. `rl`, `explain` and `full` are never chosen: they cost several times as
 * much, and `explain` wants a teacher that is better than the model.
 *
 * @example chooseMethod(selectFrom(await collect(store), policy, 'kto')).why // '52 pairs are enough for DPO.'
 */
export function chooseMethod({ train, heldOut, unpaired }: Pick<Selection, 'train' | 'heldOut' | 'unpaired'>): Choice {
  const pairs = train.length + heldOut.length
  const up = unpaired.filter(({ liked }) => liked).length
  const down = unpaired.length - up
  const mixed = Math.min(pairs + up, pairs + down) >= rarer
  const seen = `${pairs} pairs, ${up} lone thumbs up and ${down} down`
  if (pairs >= minRows && !(mixed && unpaired.length >= loneOverPairs * pairs)) {
    return { method: 'dpo', why: `${pairs} pairs are enough for DPO, which learns most from a pair.` }
  }
  if (mixed && pairs + unpaired.length >= minRows) {
    const few = pairs < minRows ? `fewer pairs than the ${minRows} that DPO needs` : 'far more lone thumbs than pairs'
    return { method: 'kto', why: `${seen}: ${few}, and KTO uses both.` }
  }
  if (pairs + up >= minRows) {
    return { method: 'sft', why: `${seen}: hardly any dislikes to tell from, so SFT on what people liked.` }
  }
  return { method: 'dpo', why: `${seen}: not enough for any method.` }
}
