import { counted } from '../../src/counted.ts'
import type { Reply } from '../../src/ports/channel.ts'
import type { VersionInfo } from '../../src/ports/learning.ts'
import type { Verdict } from '../../src/ports/store.ts'
import { hostsOf } from '../shared/links.ts'
import { checkMark, checkText, endings, type RunView } from '../shared/run.ts'
import { type Hosts, safeText } from './render.ts'
import type { Outgoing } from './sdk.ts'

export type Card = Readonly<Record<string, unknown>>
const contentType = 'application/vnd.microsoft.card.adaptive'

export function attachment(content: Card): object {
  return { contentType, content }
}

/** A message that is a card; `text` is what notifications and screen readers say. */
export function cardMessage(content: Card, summary: string): Outgoing {
  return { type: 'message', summary, attachments: [attachment(content)] }
}

function card(body: readonly object[], actions: readonly object[] = []): Card {
  const $schema = 'http://adaptivecards.io/schemas/adaptive-card.json'
  return { $schema, type: 'AdaptiveCard', version: '1.5', body, ...(actions.length > 0 ? { actions } : {}) }
}

const block = (text: string, look: object = {}): object => ({ type: 'TextBlock', text, wrap: true, ...look })
const title = (text: string): object => block(text, { weight: 'Bolder', size: 'Medium' })

/** The reasons of an answer, folded away behind a button. */
export function whyCard(reasons: string, hosts: Hosts): Card {
  const toggle = { type: 'Action.ToggleVisibility', title: 'Why?', targetElements: ['why'] }
  return card([block(safeText(reasons, hosts), { id: 'why', isVisible: false })], [toggle])
}

const outcomes = [
  ['Left is better', 'left'],
  ['Right is better', 'right'],
  ['Equally good', 'tie'],
  ['Both are bad', 'both-bad'],
] as const

/** Two replies, blind, side by side, and what can be said of them. */
export function duelCard(duel: string, left: Reply, right: Reply): Card {
  const hosts = hostsOf([...left.sources, ...right.sources])
  const side = (name: string, { text }: Reply): object => ({
    type: 'Column',
    width: 'stretch',
    items: [block(name, { weight: 'Bolder' }), block(safeText(text, hosts))],
  })
  const columns = { type: 'ColumnSet', columns: [side('Left', left), side('Right', right)] }
  return card(
    [title('Which answer is better?'), columns],
    outcomes.map(([name, outcome]) => execute(name, 'hone.duel', { duel, outcome })),
  )
}

/** What takes the place of a duel in a personal chat once it is decided. */
export function decidedCard(outcome: string, chosen: string, hosts?: Hosts): Card {
  const said = outcomes.find(([, value]) => value === outcome)?.[0] ?? ''
  return card([
    block(safeText(chosen, hosts)),
    block(`You said: ${said}. Thank you.`, { isSubtle: true, size: 'Small' }),
  ])
}

const reasons = {
  down: ['Not correct', 'Not complete', 'Too long', 'Not what I asked', 'Wrong source'],
  up: ['Correct', 'Complete', 'Well said', 'Good sources'],
  none: [],
} as const

/** The form behind a thumb of the custom loop: reasons to choose from, and a better answer. */
export function feedbackForm(turn: string, verdict: Verdict): Card {
  const choices = reasons[verdict].map((value) => ({ title: value, value }))
  return card(
    [
      { type: 'Input.ChoiceSet', id: 'reasons', label: 'Why?', style: 'expanded', isMultiSelect: true, choices },
      { type: 'Input.Text', id: 'note', label: 'In your own words', maxLength: 2000 },
      betterInput,
      verdictInput(verdict),
    ],
    [submit('Send', { honeTurn: turn })],
  )
}

/** The form of *Suggest a better answer*; there a vote can be changed and withdrawn as well. */
export function suggestionForm(turn: string, text: string): Card {
  const shown = text.length > 500 ? `${text.slice(0, 500)}…` : text
  return card(
    [block(safeText(shown), { isSubtle: true }), betterInput, verdictInput()],
    [submit('Send', { honeTurn: turn })],
  )
}

const betterInput = {
  type: 'Input.Text',
  id: 'better',
  label: 'What should it have said? (may stay empty)',
  isMultiline: true,
  maxLength: 20_000,
}

function verdictInput(value?: Verdict): object {
  const choices = [
    { title: '👍 Good', value: 'up' },
    { title: '👎 Bad', value: 'down' },
    { title: 'Withdraw my vote', value: 'none' },
  ]
  return { type: 'Input.ChoiceSet', id: 'verdict', label: 'My vote', choices, ...(value ? { value } : {}) }
}

export interface BoardView {
  readonly status: string
  readonly versions: readonly VersionInfo[]
  readonly run?: RunView
  /** What came of the button that was pressed. */
  readonly said?: string
}

const versionsShown = 5
/** Teams shows no more buttons than these on a card. */
const actionsShown = 6

/** The admins' board: how things stand, and what can be done; what changes the bot asks once more. */
export function boardCard({ status, versions, run, said }: BoardView): Card {
  const running = run && !run.ended
  const older = versions.filter(({ serving }) => !serving).reverse()
  return card(
    [
      title('Hone'),
      ...paragraphs(status),
      ...(run ? runBlocks(run) : []),
      ...(versions.length > 0 ? [versionTable(versions.slice(-versionsShown))] : []),
      ...(said ? paragraphs(said).map((each) => ({ ...each, separator: true })) : []),
    ],
    [
      running ? confirm('Cancel the run', 'cancel') : press('Train now', 'retrain'),
      ...(running ? [] : [press('What would it use?', 'retrain --dry-run')]),
      press('Refresh', 'status'),
      ...(versions.length > 1 ? [confirm('Roll back', 'rollback')] : []),
      ...older.map(({ id }) => confirm(`Promote ${id}`, `promote ${id}`)),
    ].slice(0, actionsShown),
  )
}

/** A training run by itself, as one message that is edited while it goes on. */
export function runCard(run: RunView): Card {
  return card([title('Training'), ...runBlocks(run)])
}

function runBlocks(run: RunView): readonly object[] {
  const { step, steps, etaSeconds, loss, spark, gate } = run
  const share = steps > 0 ? step / steps : 0
  const bar = `${'█'.repeat(Math.round(share * 20))}${'░'.repeat(20 - Math.round(share * 20))}`
  const left = etaSeconds === undefined || run.ended ? '' : ` · ${Math.ceil(etaSeconds)} s left`
  return [
    block(run.ended ? endings[run.ended] : run.phase, { weight: 'Bolder' }),
    ...(steps > 0 ? [block(`${bar} ${step}/${steps}${left}`, { fontType: 'Monospace' })] : []),
    ...(loss === undefined ? [] : [block(`loss ${loss.toFixed(3)} ${spark}`, { fontType: 'Monospace' })]),
    ...(gate?.checks ?? []).map((check) => block(`${checkMark(check)} ${checkText(check)}`, { spacing: 'None' })),
  ]
}

function versionTable(versions: readonly VersionInfo[]): object {
  const facts = versions.map(({ id, serving, createdAt, pairs, gate, canary }) => ({
    title: serving ? `${id} serves` : canary ? `${id} canary` : id,
    value: [createdAt.toISOString().slice(0, 10), counted(pairs.length, 'pair'), gate?.verdict]
      .filter(Boolean)
      .join(' · '),
  }))
  return { type: 'FactSet', facts, separator: true }
}

function paragraphs(text: string): object[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => block(line))
}

function execute(name: string, verb: string, data: object): object {
  return { type: 'Action.Execute', title: name, verb, data }
}

function press(name: string, command: string): object {
  return execute(name, 'hone.board', { command })
}

/** A button behind which the real one is. */
function confirm(name: string, command: string): object {
  return { type: 'Action.ShowCard', title: name, card: card([], [press(`Yes: ${name.toLowerCase()}`, command)]) }
}

function submit(name: string, data: object): object {
  return { type: 'Action.Submit', title: name, data }
}
