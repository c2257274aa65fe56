import type { ControlledEvaluateInputItem, LlamaContextSequence } from 'node-llama-cpp'
import { HoneError } from '../../errors.ts'
import type { ChatMessage } from '../../ports/engine.ts'
import { branded, type Runtime } from './runtime.ts'

const pieceTokens = 512

/**
 * The tokens of a scored text, and the first that is scored.
 *
 * After a prompt: the reply and its end-of-turn token, tokenised as part of the whole dialogue, as training does.
 * Without one: plain text; its first token is scored only if the model begins texts with a BOS.
 */
export function scoreTokens(
  { model, prompter }: Runtime,
  prompt: readonly ChatMessage[],
  reply: string,
): { tokens: number[]; from: number } {
  if (prompt.length === 0) {
    const bos = model.tokens.shouldPrependBosToken ? model.tokens.bos : null
    return { tokens: [...(bos === null ? [] : [bos]), ...prompter.plain(reply)], from: 1 }
  }
  const start = prompter.prompt(prompt, true)
  const whole = prompter.prompt([...prompt, { role: 'assistant', content: reply }], false)
  const from = start.length
  const end = branded(whole).findIndex((token, index) => index >= from && model.isEogToken(token))
  if (end !== -1 && start.every((token, index) => token === whole[index]))
    return { tokens: whole.slice(0, end + 1), from }
  // The template opens a reply in another way than it shows a past one (a thinking block, say): say it as generated.
  const ending = model.tokens.eot ?? model.tokens.eos
  if (ending === null) throw new HoneError('MODEL_FILE', 'The model has no token that ends a turn.')
  return { tokens: [...start, ...prompter.plain(reply), ending], from }
}

/**
 * Σ ln P(token | the tokens before it), over all tokens from `from` on; the whole vocabulary is in the denominator.
 *
 * @throws HoneError CANCELLED
 */
export async function sumLogProbabilities(
  sequence: LlamaContextSequence,
  tokens: readonly number[],
  from: number,
  signal: AbortSignal,
): Promise<number> {
  await sequence.adaptStateToTokens(branded(tokens.slice(0, Math.max(0, from - 1))), false)
  const last = tokens.length - 1
  let sum = 0
  for (let at = sequence.nextTokenIndex; at < last; at += pieceTokens) {
    if (signal.aborted) throw new HoneError('CANCELLED', 'Scoring was stopped.')
    const piece = branded(tokens.slice(at, Math.min(at + pieceTokens, last)))
    const items = piece.map((token, index) => (at + index + 1 < from ? token : asking(token, tokens[at + index + 1])))
    const results = await sequence.controlledEvaluate(items)
    for (const [index, item] of items.entries()) {
      if (Array.isArray(item)) sum += logProbability(results[index]?.next, tokens[at + index + 1])
    }
  }
  return sum
}

/**
 * Asks for the logit of the token that follows, of the greedy choice (which has the highest logit) and for
 * Σ exp(logit − highest): no sorting of the vocabulary, and three numbers a token instead of two per word of it.
 */
function asking(token: ControlledEvaluateInputItem, next: number | undefined): ControlledEvaluateInputItem {
  if (Array.isArray(token)) return token
  const filter = { tokens: branded(next === undefined ? [] : [next]), includeSelected: true }
  return [
    token,
    { generateNext: { token: true, totalLogitWeight: true, logits: { filter }, options: { temperature: 0 } } },
  ]
}

interface Next {
  readonly token?: number | null
  readonly logits?: ReadonlyMap<number, number>
  readonly totalLogitWeight?: number
}

function logProbability(next: Next | undefined, token: number | undefined): number {
  const own = next?.logits?.get(token ?? -1)
  const highest = next?.logits?.get(next.token ?? -1)
  const result = Number(own) - Number(highest) - Math.log(next?.totalLogitWeight ?? 0)
  if (Number.isFinite(result)) return result
  throw new HoneError('ENGINE_FAILED', 'llama.cpp gave no logits; the weights may hold values that are no numbers.')
}
