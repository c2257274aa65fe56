import type { GateCheck } from '../../src/ports/learning.ts'
import { wordDistance } from '../similar.ts'
import { wilson, withoutPadding } from '../stats.ts'
import { type Evidence, type Named, round } from './check.ts'

/** Fresh answers came nearer to what people chose, word for word, than the serving version's; ties count half. */
export function nearer(evidence: Evidence): GateCheck {
  const { material, incumbent, candidate } = evidence
  const wins = material.questions.map(({ chosen: good, rejected: bad }, i) => {
    const lean = (text = '') => wordDistance(text, bad) - wordDistance(text, good)
    const gain = lean(candidate.answers[i]?.text) - lean(incumbent.answers[i]?.text)
    return gain > 1e-9 ? 1 : gain < -1e-9 ? 0 : 0.5
  })
  return winRate({ id: 'nearer', what: 'Fresh answers nearer to what people chose' }, wins, evidence)
}

/** Fresh answers that a judge engine, asked in both orders, finds better than the serving version's; ties count half. */
export function judged(evidence: Evidence): GateCheck {
  const named = { id: 'judged', what: 'Fresh answers that the judge prefers' }
  const { judged: wins = [] } = evidence
  if (wins.length > 0) return winRate(named, wins, evidence)
  return { ...named, value: 0, limit: 'the judge did not answer', pass: false, n: 0, onFail: 'hold' }
}

/** Judges like long answers: what an answer has beyond what people chose, and beyond what was said so far, wins nothing. */
function winRate(named: Named, wins: readonly number[], { material, incumbent, candidate }: Evidence): GateCheck {
  const padding = material.questions.map(({ chosen }, i) => {
    const asked = Math.max(chosen.length, incumbent.answers[i]?.text.length ?? 0, 1)
    return Math.max(0, Math.log((candidate.answers[i]?.text.length ?? 0) / asked))
  })
  const value = withoutPadding(wins, padding)
  const n = wins.length
  return { ...named, value: round(value), limit: '≥ 0.5', pass: value >= 0.5, n, interval: wilson(value * n, n) }
}
