import type { ChatMessage, Score, Version } from '../../src/ports/engine.ts'
import type { GateReport } from '../../src/ports/learning.ts'
import { type GateInput, gate } from '../../training/gate.ts'
import { lastMessage } from '../../training/text.ts'
import { fakeSlot, noise, type Script } from '../fakes/engine.ts'
import { pairRows } from './rows.ts'

export const base: Version = { id: 'v0', base: 'base.gguf' }
export const lora = { id: 'v1', path: '/versions/v1/lora.gguf', sha256: 'sha' }
export const candidate: Version = { id: 'v1', base: 'base.gguf', lora }

/** People chose "Answer n: 25 days [1]." over "I don't know anything about n." for twelve questions. */
export const heldOut = pairRows(12)
export const chosen = new Set(heldOut.map((pair) => pair.chosen))
export const rejected = new Set(heldOut.map((pair) => pair.rejected))

/** What a base would say: log-probabilities that depend on the text, right answers to the golden questions. */
const words = (text: string) => text.split(/\s+/).length
export const plain = (reply: string): Score => ({
  logProbability: -words(reply) * (1 + noise(reply)),
  tokens: words(reply),
})
export function answer(prompt: readonly ChatMessage[]): string {
  const { passages, question } = lastMessage(prompt)
  if (/^Question \d+\?$/.test(question)) return 'Everyone gets 25 days of vacation [1].'
  const known = goldenAnswers.find(([asked]) => question.startsWith(asked))
  return known && passages.includes(known[1]) ? `It is ${known[1]} [1].` : "I don't know."
}
const goldenAnswers = [
  ['Until when is breakfast', '9:20'],
  ['How much does the company pay', '137'],
  ['How much does a parking permit', '34'],
  ['Within how many days', '45'],
  ['In which room', '218'],
] as const

/** A candidate that learned the preference: the chosen texts up, the rejected down, the rest nearly untouched. */
export const good: Script = {
  score: ({ id }, _prompt, reply) => {
    const { logProbability, tokens } = plain(reply)
    const change = id === 'v0' ? 0 : chosen.has(reply) ? 0.8 : rejected.has(reply) ? -1.5 : -0.01 * tokens
    return { logProbability: logProbability + change, tokens }
  },
  answer: ({ id }, prompt) => ({ text: id === 'v0' ? answer(prompt) : answer(prompt).replace(' of vacation', '') }),
}

/** The gate's report on a candidate that differs from the good one by `change`. */
export async function run(change: Partial<Script>, more: Partial<GateInput> = {}): Promise<GateReport> {
  const slot = fakeSlot(base, { ...good, ...change })
  const signal = new AbortController().signal
  const { report } = await gate({ slot, base, candidate, heldOut, signal, ...more })
  return report
}

/** Ids of the checks that were not passed. */
export const failed = ({ checks }: GateReport) => checks.filter(({ pass }) => !pass).map(({ id }) => id)
