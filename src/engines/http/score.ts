import { z } from 'zod'
import { HoneError } from '../../errors.ts'
import type { ChatMessage, Score } from '../../ports/engine.ts'
import type { Served } from './lora.ts'
import type { ServerKind } from './probe.ts'
import { ask, type Server } from './server.ts'
import { expect, type Tokens } from './tokens.ts'

/** Scores `reply` after `prompt`, as `Engine.score` says. */
export type ScoreReply = (prompt: readonly ChatMessage[], reply: string, signal?: AbortSignal) => Promise<Score>

/** Log-probabilities of `all[from…]`, each given the tokens before it. */
type LogProbabilities = (all: readonly number[], from: number, signal?: AbortSignal) => Promise<readonly number[]>

/** A scorer for servers that show log-probabilities of given tokens: vLLM and llama-server. */
export function scorer(server: Server, kind: ServerKind, served: Served, tokens: Tokens): ScoreReply {
  const measure = kind === 'vllm' ? vllm(server, served) : llamaServer(server, served)
  let end: Promise<number | undefined> | undefined

  return async function score(prompt, reply, signal) {
    if (prompt.length === 0) {
      const all = await tokens.text(reply, true, signal)
      // Nothing stands before the first token, so it has no probability.
      return sum(await measure(all, 1, signal))
    }
    end ??= tokens.endOfTurn(signal)
    end.catch(() => {
      end = undefined
    })
    const [before, said, last] = await Promise.all([
      tokens.prompt(prompt, signal),
      tokens.text(reply, false, signal),
      end,
    ])
    const all = [...before, ...said, ...(last === undefined ? [] : [last])]
    return sum(await measure(all, before.length, signal))
  }
}

const sum = (values: readonly number[]): Score => ({
  logProbability: values.reduce((total, value) => total + value, 0),
  tokens: values.length,
})

const promptLogprobs = z.object({
  choices: z.array(
    z.object({ prompt_logprobs: z.array(z.record(z.string(), z.object({ logprob: z.number() })).nullable()) }),
  ),
})

/** vLLM gives the log-probability of every prompt token in one request. */
function vllm(server: Server, { model, extra }: Served): LogProbabilities {
  return async function measure(all, from, signal) {
    const body = { model, prompt: all, max_tokens: 1, temperature: 0, prompt_logprobs: 1, ...extra }
    const answer = expect(promptLogprobs, await ask(server, { to: 'completions', body }, signal), '/completions')
    const given = answer.choices[0]?.prompt_logprobs ?? []
    return all.slice(from).map((token, i) => found(given[from + i]?.[token]?.logprob, token))
  }
}

const probabilities = z.object({
  completion_probabilities: z.array(z.object({ id: z.number().int(), logprob: z.number() })),
})

/**
 * llama-server gives the log-probability of generated tokens only. So it is made to generate the reply's own, one
 * short request each: a bias picks the token, the probability comes from the logits before the bias, and what stands
 * before is in the server's cache.
 */
function llamaServer(server: Server, { extra }: Served): LogProbabilities {
  async function one(before: readonly number[], token: number, signal?: AbortSignal): Promise<number> {
    const body = {
      prompt: before,
      n_predict: 1,
      n_probs: 1,
      temperature: 0,
      logit_bias: [[token, 1e6]],
      cache_prompt: true,
      ...extra,
    }
    const answer = await ask(server, { to: `${server.root}/completion`, body }, signal)
    const made = expect(probabilities, answer, '/completion').completion_probabilities[0]
    return found(made?.id === token ? made.logprob : undefined, token)
  }
  return async function measure(all, from, signal) {
    const values: number[] = []
    for (let at = from; at < all.length; at++) {
      values.push(await one(all.slice(0, at), all[at] as number, signal))
    }
    return values
  }
}

function found(value: number | undefined, token: number): number {
  if (value !== undefined) return value
  throw new HoneError('ENGINE_FAILED', `The server gave no log-probability for token ${token}.`)
}
