import type { Score } from '../../src/ports/engine.ts'
import type { GateCheck } from '../../src/ports/learning.ts'
import type { Answer } from '../measure.ts'
import { mean, meanInterval, share, slack } from '../stats.ts'
import { cites, distinctThrees, lastMessage } from '../text.ts'
import { atLeast, type Evidence, type Named, round, shareCheck } from './check.ts'

/** Perplexity of unrelated plain text against the base: what the model forgot. */
export function prose({ base, candidate }: Evidence): GateCheck {
  return kept({ id: 'prose', what: 'Perplexity of unrelated text against the base' }, base.prose, candidate.prose)
}

/** The same for lists, tables, code and other languages. */
export function forms({ base, candidate }: Evidence): GateCheck {
  return kept({ id: 'forms', what: 'Perplexity of other forms of text' }, base.forms, candidate.forms)
}

/** No answer is empty where the serving version's wasn't. */
export function speaks({ incumbent, candidate }: Evidence): GateCheck {
  const named = { id: 'speaks', what: 'Answers that are not empty' }
  return shareCheck(named, candidate.answers.map(spoken), share(incumbent.answers, spoken))
}

/** Answers end by themselves instead of running into the limit. */
export function stops({ incumbent, candidate }: Evidence): GateCheck {
  const limit = atLeast(share(incumbent.answers, ended), slack(0.05, candidate.answers.length))
  return shareCheck({ id: 'stops', what: 'Answers that end by themselves' }, candidate.answers.map(ended), limit)
}

/** Length against the serving version. Wide, because short answers may be just what people want. */
export function length({ incumbent, candidate }: Evidence): GateCheck {
  const before = mean(incumbent.answers.map(characters))
  const ratios = candidate.answers.map((answer) => characters(answer) / before)
  const value = mean(ratios)
  return {
    id: 'length',
    what: 'Length against the serving version',
    value: round(value),
    limit: '0.25 to 3',
    pass: value >= 0.25 && value <= 3,
    n: ratios.length,
    interval: meanInterval(ratios),
  }
}

/** Three-word runs that are new within their answer: a ruined model says the same thing over and over. */
export function repetition({ incumbent, candidate }: Evidence): GateCheck {
  const limit = mean(incumbent.answers.map(({ text }) => distinctThrees(text))) - 0.1
  const shares = candidate.answers.map(({ text }) => distinctThrees(text))
  return {
    id: 'repetition',
    what: 'Three-word runs that are new in their answer',
    value: round(mean(shares)),
    limit: `≥ ${round(limit)}`,
    pass: mean(shares) >= limit,
    n: shares.length,
    interval: meanInterval(shares),
  }
}

/** Answers from passages still cite them, unless the texts people chose don't either. */
export function citations({ material, incumbent, candidate }: Evidence): GateCheck {
  const asked = material.questions.flatMap(({ prompt, chosen }, i) => {
    const [ours, theirs] = [candidate.answers[i], incumbent.answers[i]]
    return lastMessage(prompt).passages !== '' && ours && theirs
      ? [{ chosen, ours: ours.text, theirs: theirs.text }]
      : []
  })
  const wanted = Math.min(
    share(asked, (item) => cites(item.theirs)),
    share(asked, (item) => cites(item.chosen)),
  )
  const ours = asked.map((item) => cites(item.ours))
  const named = { id: 'citations', what: 'Answers from passages that cite one' }
  return shareCheck(named, ours, atLeast(wanted, slack(0.05, asked.length)), 'no passages asked about')
}

/** Perplexity over all tokens against the base's; the interval is that of the mean over texts. */
function kept(named: Named, before: readonly Score[], after: readonly Score[]): GateCheck {
  const value = perplexity(after) / perplexity(before)
  const changes = after.map((score, i) => Math.log(perplexity([score]) / perplexity(before.slice(i, i + 1))))
  const [low, high] = meanInterval(changes)
  return {
    ...named,
    value: round(value),
    limit: '≤ 1.15',
    pass: value <= 1.15,
    n: after.length,
    interval: [Math.exp(low), Math.exp(high)],
  }
}

/** Perplexity a token over all texts; NaN of nothing. */
export function perplexity(scores: readonly Score[]): number {
  const tokens = scores.reduce((sum, score) => sum + score.tokens, 0)
  return Math.exp(-scores.reduce((sum, score) => sum + score.logProbability, 0) / tokens)
}

function spoken({ text }: Answer): boolean {
  return text.trim() !== ''
}

function ended({ reason }: Answer): boolean {
  return reason === 'stop'
}

function characters({ text }: Answer): number {
  return text.trim().length
}
