import { counted } from '../../src/counted.ts'
import { codes, type HoneError } from '../../src/errors.ts'
import type { Why } from '../../src/ports/bot.ts'
import type { Reply, Source } from '../../src/ports/channel.ts'
import type { GateReport } from '../../src/ports/learning.ts'
import type { DuelOutcome } from '../../src/ports/store.ts'

/** Colours a text, or leaves it as it is where colours are not wanted. */
export type Paint = (style: 'dim' | 'bold' | 'cyan' | 'green' | 'red' | 'yellow', text: string) => string

/** Text from a model or a document can't move the cursor or change the terminal: control characters go. */
export function plain(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/\p{Cc}/gu, (char) => (char === '\n' || char === '\t' ? char : ''))
}

export const help = `Write a message, or:
  /up            a good answer             /down [reason]   a bad one
  /undo          withdraw your vote        /again           another try
  /better TEXT   what it should have said  /why             where the answer comes from
  /stop, Ctrl-C  stop the reply            /quit, Ctrl-C twice
  /hone status   versions, retrain, promote V, rollback, privacy, forget-me: the bot’s own commands
`

/** The passages a reply stands on, one a line. */
export function sourceLines(sources: readonly Source[], paint: Paint): string {
  return sources
    .map(
      (source) =>
        `${paint('cyan', `[${source.number}]`)} ${plain(source.title)} ${paint('dim', plain(source.document))}\n`,
    )
    .join('')
}

/** Where the reasons of an answer are, if it has some that are not shown with it. */
export function whyLine({ explanation }: Reply, paint: Paint): string {
  return explanation === undefined ? '' : `${paint('dim', '/why tells the reasons.')}\n`
}

/** Two replies one under the other, without their versions. */
export function duelText(left: Reply, right: Reply, paint: Paint): string {
  const side = (name: string, reply: Reply) => `${paint('bold', `── ${name} ──`)}\n${plain(reply.text)}\n`
  return `${side('1', left)}\n${side('2', right)}\n${sourceLines(left.sources, paint)}${paint('yellow', 'Which is better? 1, 2, t (tie) or b (both bad):')}\n`
}

/** What a duel came to, once the versions may be known. */
export function outcomeText(outcome: DuelOutcome, left: Reply, right: Reply): string {
  const versions = `1 was ${left.version}, 2 was ${right.version}`
  const said = { left: 'You chose 1', right: 'You chose 2', tie: 'A tie', 'both-bad': 'Neither was good' }[outcome]
  return `${said}: ${versions}.\n`
}

/** Why a reply says what it says. */
export function whyText(why: Why, paint: Paint): string {
  const { turn } = why
  const { explanation } = turn
  const people = new Set(why.pairs.flatMap((pair) => pair.people)).size
  const rows: readonly (readonly [string, string])[] = [
    ['Version', turn.version],
    ['Profile', turn.profile],
    [
      'Learned from',
      why.pairs.length === 0
        ? 'no votes'
        : `${counted(why.pairs.length, 'pair')} by ${counted(people, 'person', 'people')}`,
    ],
    ['Votes', why.votes.map((vote) => vote.verdict).join(', ') || 'none'],
    ...(explanation && explanation.show !== 'hidden' ? [['Explanation', explanation.text] as const] : []),
    ['Tokens', `${turn.usage.prompt} in (${turn.usage.evaluated} newly read), ${turn.usage.completion} out`],
  ]
  const facts = rows.map(([name, value]) => `${paint('dim', name.padEnd(13))} ${plain(value)}\n`).join('')
  const passages = turn.sources.map(
    (source) => `\n${paint('cyan', `[${source.number}]`)} ${plain(source.title)}\n${indent(plain(source.text))}\n`,
  )
  return facts + passages.join('')
}

/** The gate's checks as a table. */
export function gateText(gate: GateReport, paint: Paint): string {
  const width = Math.max(...gate.checks.map((check) => check.what.length), 5)
  const rows = gate.checks.map((check) => {
    const value = Number(check.value.toPrecision(3)).toString().padStart(8)
    const mark = check.pass ? paint('green', '✓') : check.onFail ? paint('yellow', '?') : paint('red', '✕')
    const range = check.interval ? `${check.interval.map((end) => Number(end.toPrecision(3))).join(' to ')}, ` : ''
    return `${mark} ${check.what.padEnd(width)} ${value}  ${check.limit}  (${range}n ${check.n})\n`
  })
  return `${paint('bold', `The gate says: ${gate.verdict}`)}\n${rows.join('')}`
}

/** An error and what to do about it. */
export function errorText(error: HoneError, paint: Paint): string {
  return `${paint('red', plain(error.message))}\n${paint('dim', codes[error.code])}\n`
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ')
}
