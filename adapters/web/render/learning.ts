import { html, raw } from 'hono/html'
import type { Comparison } from '../../../src/ports/compare.ts'
import type { GateReport, TrainPlan, VersionInfo } from '../../../src/ports/learning.ts'
import type { Tally } from '../../../src/ports/live.ts'
import type { Job } from '../../../src/ports/store.ts'
import type { TrainEvent } from '../../../src/ports/trainer.ts'
import type { TuneReport } from '../../../src/ports/tune.ts'
import { compareCard } from './compare.ts'
import { duration, figure, moment, size } from './format.ts'
import { csrfField, type Html, layout, type Page } from './layout.ts'
import { tuneCard } from './tune.ts'

/** Everything the learning page shows. */
export interface LearningView {
  /** A text says why there is no plan. */
  readonly plan: TrainPlan | string
  readonly versions: readonly VersionInfo[]
  /** Newest first. */
  readonly jobs: readonly Job[]
  /** What became of the canaries that runs ended in, by job. */
  readonly became: Readonly<Record<string, string>>
  readonly steps: readonly Extract<TrainEvent, { type: 'step' }>[]
  /** Null: none yet. Absent: this bot runs without comparisons. */
  readonly comparison?: Comparison | null
  /** The newest search for a better prompt. Null: none yet. Absent: this bot runs without. */
  readonly tuned?: TuneReport | null
  readonly votes: readonly { readonly day: string; readonly up: number; readonly down: number }[]
}

/** The learning page. */
export function learningPage(page: Page, view: LearningView): Html {
  return layout(page, {
    current: 'learning',
    name: 'Learning',
    scripts: ['uPlot.iife.min.js', 'plots.js'],
    body: html`<main id="main" class="learning" data-data="${page.url('/learning/data')}" data-events="${page.url('/learning/events')}">
      <h1 class="quiet">Learning</h1>
      <div id="panel" hx-get="${page.url('/learning/panel')}" hx-trigger="learning from:body" hx-swap="innerMorph">${learningPanel(page, view)}</div>
    </main>`,
  })
}

/** The part that is read again whenever something changes; the plots keep themselves up to date. */
export function learningPanel(page: Page, view: LearningView): Html {
  const running = view.jobs.find((job) => job.state === 'running')
  const judged = view.jobs.find((job) => gateOf(job))
  const gate = judged && gateOf(judged)
  return html`
    ${running ? runCard(page, running, view) : planCard(page, view)}
    ${view.steps.length > 0 || running ? plots(view, running) : ''}
    ${canaryCard(view.versions)}
    ${gate && judged ? gateCard(judged, gate, view) : ''}
    ${view.comparison === undefined ? '' : compareCard(page, view.comparison, running !== undefined)}
    ${view.tuned === undefined ? '' : tuneCard(page, view.tuned, running !== undefined)}
    ${votesCard(view)}
    ${versionsCard(page, view.versions)}
    ${jobsCard(view)}`
}

function planCard(page: Page, { plan, versions }: LearningView): Html {
  const serving = versions.find((one) => one.serving)?.id ?? 'v0'
  if (typeof plan === 'string') {
    return html`<section class="card" id="plan"><h2>Next training run</h2><p class="note">${plan}</p></section>`
  }
  return html`<section class="card" id="plan">
    <div class="head"><h2>Next training run</h2><span class="dim">${serving} is serving</span></div>
    <dl class="numbers">
      ${Object.entries(plan.rows).map(([name, count]) => html`<div><dt>${rowNames[name] ?? name}</dt><dd>${count.toLocaleString('en')}</dd></div>`)}
      ${plan.refusal ? '' : html`<div><dt>Time, about</dt><dd>${duration(plan.secondsGuess)}</dd></div><div><dt>Memory, about</dt><dd>${size(plan.memoryGuessMb * 1e6)}</dd></div>`}
    </dl>
    ${plan.why ? html`<p class="dim">${plan.why}</p>` : ''}
    ${plan.refusal ? html`<p class="note" id="refusal">${plan.refusal}</p>` : ''}
    ${retrain(page, plan)}
    ${leftOut(plan)}
  </section>`
}

const rowNames: Readonly<Record<string, string>> = {
  pairs: 'Pairs to learn from',
  needed: 'Pairs needed',
  heldOut: 'Held out for the test',
  replay: 'Replayed replies',
  replies: 'Replies',
  up: 'Thumbs up',
  down: 'Thumbs down',
}

function retrain(page: Page, plan: TrainPlan): Html {
  if (!page.admin) return html`<p class="note"><a href="${page.url('/login')}">Sign in as admin</a> to retrain.</p>`
  return html`<form method="post" action="${page.url('/learning/retrain')}" hx-post="${page.url('/learning/retrain')}" hx-target="#panel" hx-swap="innerMorph" hx-disable="find button">
    ${csrfField(page)}<button class="button primary" ${plan.refusal ? raw('disabled aria-describedby="refusal"') : ''}>Retrain</button>
    <span class="dim">with ${plan.method.toUpperCase()}; people go on chatting meanwhile</span>
  </form>`
}

function leftOut(plan: TrainPlan): Html {
  const rows = Object.entries(plan.leftOut).filter(([, count]) => count > 0)
  if (rows.length === 0) return html``
  return html`<details><summary>${rows.reduce((sum, [, count]) => sum + count, 0)} rows are left out</summary>
    <table><thead><tr><th scope="col">Why</th><th scope="col" class="figure">Rows</th></tr></thead>
    <tbody>${rows.map(([why, count]) => html`<tr><td>${why}</td><td class="figure">${count}</td></tr>`)}</tbody></table></details>`
}

function runCard(page: Page, job: Job, { steps }: LearningView): Html {
  const last = steps.at(-1)
  return html`<section class="card" id="run">
    <div class="head"><h2>${runName(job)}</h2><span class="dim">since ${moment(job.startedAt)}</span></div>
    <progress id="run-bar" max="${last?.of ?? 1}" ${last ? raw(`value="${Number(last.step)}"`) : ''} aria-label="Progress of the run"></progress>
    <div class="row apart">
      <p id="run-line" role="status">${last ? `Step ${last.step} of ${last.of}` : 'Getting ready …'}${last?.etaSeconds === undefined ? '' : `, about ${duration(last.etaSeconds)} left`}</p>
      ${page.admin ? html`<form method="post" action="${page.url('/learning/cancel')}" hx-post="${page.url('/learning/cancel')}" hx-target="#panel" hx-swap="innerMorph">${csrfField(page)}<button class="button">Cancel the run</button></form>` : ''}
    </div>
  </section>`
}

function runName({ detail }: Job): string {
  if (detail.compare) return 'Comparing techniques'
  return detail.tune ? 'Searching a better prompt' : 'Training'
}

function plots({ steps }: LearningView, running: Job | undefined): Html {
  const last = steps.at(-1)
  const plot = (name: 'loss' | 'margin' | 'accuracy', title: string, hint: string) => html`<figure>
    <figcaption>${title} <output id="value-${name}">${last?.[name] === undefined ? '' : figure(last[name])}</output><span class="dim">${hint}</span></figcaption>
    <div class="plot" id="plot-${name}" data-series="${name}" role="img" aria-label="${title} at each step" hx-morph-skip></div>
  </figure>`
  return html`<section class="card" id="plots">
    <h2>${running ? 'This run' : 'The last run'}</h2>
    <div class="trio">${plot('loss', 'Loss', 'lower is better')}${plot('margin', 'Margin', 'chosen over rejected')}${plot('accuracy', 'Accuracy', 'on the training pairs')}</div>
  </section>`
}

const verdicts: Readonly<Record<GateReport['verdict'], string>> = {
  promote: 'Passed: the new version serves.',
  hold: 'Held: measured, but not clearly better. An admin may promote it.',
  refuse: 'Refused: the version that served before goes on serving.',
}

const promptVerdicts: typeof verdicts = {
  promote: 'Passed: the new prompt is a version of the profile.',
  hold: 'Held: the new prompt is not proven. An admin may promote it.',
  refuse: 'Refused: the profile goes on as it was.',
}

function verdictOf({ detail, state }: Job, { verdict }: GateReport): string {
  if (state === 'canary') return 'Passed: people’s votes on a share of the threads have the last word.'
  return (detail.tune ? promptVerdicts : verdicts)[verdict]
}

function gateCard(job: Job, gate: GateReport, { became }: LearningView): Html {
  return html`<section class="card" id="gate">
    <div class="head"><h2>The gate’s verdict</h2><span class="dim">${moment(job.endedAt ?? job.startedAt)}</span></div>
    <p class="verdict ${gate.verdict}">${verdictOf(job, gate)}</p>${became[job.id] ? html`<p>${became[job.id]}</p>` : ''}
    <div class="scroll" tabindex="0"><table>
      <thead><tr><th scope="col">Check</th><th scope="col" class="figure">Value</th><th scope="col">Limit</th><th scope="col" class="figure">n</th><th scope="col">Result</th></tr></thead>
      <tbody>${gate.checks.map(
        (check) => html`<tr><th scope="row">${check.what}</th>
          <td class="figure">${figure(check.value)}${check.interval ? html` <span class="dim">(${figure(check.interval[0])} to ${figure(check.interval[1])})</span>` : ''}</td>
          <td>${check.limit}</td><td class="figure">${check.n}</td><td class="${check.pass ? 'pass' : 'fail'}">${check.pass ? '✓ passed' : check.onFail ? '? for a person' : '✕ failed'}</td></tr>`,
      )}</tbody></table></div>
  </section>`
}

/** Two versions side by side, as far as people have judged them. */
function canaryCard(versions: readonly VersionInfo[]): Html {
  const canary = versions.find((one) => one.canary)?.canary
  if (!canary) return html``
  const { version, incumbent, thumbs, duels, evidence, held } = canary
  const row = (name: string, liked: Tally, wins: number, e: number) => html`<tr><th scope="row">${name}</th>
    <td class="figure">${liked.up} of ${liked.up + liked.down}</td><td class="figure">${wins}</td><td class="figure">${figure(e)}</td></tr>`
  return html`<section class="card" id="canary">
    <div class="head"><h2>Canary</h2><span class="dim">${version} answers ${figure(canary.share * 100)} % of threads since ${moment(canary.startedAt)}</span></div>
    <div class="scroll" tabindex="0"><table>
      <thead><tr><th scope="col">Version</th><th scope="col" class="figure">People who like it</th><th scope="col" class="figure">People who prefer it in duels</th><th scope="col" class="figure">Evidence that it is better</th></tr></thead>
      <tbody>${row(version, thumbs.canary, duels.up, evidence.better)}${row(incumbent, thumbs.incumbent, duels.down, evidence.worse)}</tbody></table></div>
    <p class="note">${held ? `Held: nothing was decided in time. An admin may promote ${version} or roll back.` : `Evidence of ${evidence.decides} decides: then ${version} serves all, or is taken back.`}</p>
  </section>`
}

function votesCard({ votes }: LearningView): Html {
  const up = votes.reduce((sum, day) => sum + day.up, 0)
  const down = votes.reduce((sum, day) => sum + day.down, 0)
  return html`<section class="card" id="votes">
    <div class="head"><h2>Votes</h2><span class="dim">${up} up, ${down} down</span></div>
    ${votes.length === 0 ? html`<p class="note">No votes yet. Every reply in the chat has a thumb up and a thumb down.</p>` : html`<div class="plot wide" id="plot-votes" role="img" aria-label="Votes per day: ${up} up and ${down} down in all" hx-morph-skip></div>`}
  </section>`
}

function versionsCard(page: Page, versions: readonly VersionInfo[]): Html {
  const back = page.url('/learning/rollback')
  return html`<section class="card" id="versions">
    <div class="head"><h2>Versions</h2>${
      page.admin && versions.length > 1
        ? html`<form method="post" action="${back}" hx-post="${back}" hx-target="#panel" hx-swap="innerMorph" hx-confirm="Go back to the version that served before?">${csrfField(page)}<button class="button">Roll back</button></form>`
        : ''
    }</div>
    <div class="scroll" tabindex="0"><table>
      <thead><tr><th scope="col">Version</th><th scope="col">Made</th><th scope="col" class="figure">Size</th><th scope="col" class="figure">Pairs</th><th scope="col">Gate</th><th scope="col"><span class="quiet">Action</span></th></tr></thead>
      <tbody>${versions.toReversed().map((one) => versionRow(page, one))}</tbody></table></div>
  </section>`
}

function versionRow(page: Page, one: VersionInfo): Html {
  const action = page.url('/learning/promote')
  const made = one.id === 'v0' ? 'the bare base model' : moment(one.createdAt)
  return html`<tr id="version-${one.id}"><th scope="row">${one.id} ${one.serving ? html`<span class="tag">serving</span>` : one.canary ? html`<span class="tag">canary</span>` : ''}</th>
    <td>${made}</td><td class="figure">${one.bytes > 0 ? size(one.bytes) : '–'}</td><td class="figure">${one.pairs.length || '–'}</td>
    <td>${one.gate ? gateWord[one.gate.verdict] : '–'}</td>
    <td class="action">${
      page.admin && !one.serving
        ? html`<form method="post" action="${action}" hx-post="${action}" hx-target="#panel" hx-swap="innerMorph" hx-confirm="Let ${one.id} serve from the next reply on?">${csrfField(page)}<input type="hidden" name="version" value="${one.id}" /><button class="button small" aria-label="Promote ${one.id}">Promote</button></form>`
        : ''
    }</td></tr>`
}

const gateWord: Readonly<Record<GateReport['verdict'], string>> = { promote: 'passed', hold: 'held', refuse: 'refused' }

function jobsCard({ jobs, became }: LearningView): Html {
  if (jobs.length === 0) return html``
  return html`<section class="card" id="jobs"><h2>Runs</h2><div class="scroll" tabindex="0"><table>
    <thead><tr><th scope="col">Started</th><th scope="col">Took</th><th scope="col">Outcome</th><th scope="col">What happened</th></tr></thead>
    <tbody>${jobs.map(
      (
        job,
      ) => html`<tr><th scope="row">${moment(job.startedAt)}</th><td>${job.endedAt ? duration((job.endedAt.getTime() - job.startedAt.getTime()) / 1000) : '–'}</td>
        <td>${became[job.id] ? 'canary, over' : job.state}</td><td>${became[job.id] ?? happened(job)}</td></tr>`,
    )}</tbody></table></div></section>`
}

/** The error of a failed run, or the checks that it failed. */
function happened(job: Job): string {
  const { error } = job.detail
  if (typeof error === 'string') return error
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message)
  const failed = gateOf(job)?.checks.filter((check) => !check.pass) ?? []
  return failed.map((check) => `${check.what}: ${figure(check.value)}, limit ${check.limit}`).join('; ')
}

/** A job's detail is plain JSON from the store; anything that is no gate report is none. */
function gateOf(job: Job): GateReport | undefined {
  const gate = job.detail.report as Partial<GateReport> | undefined
  return gate?.verdict !== undefined && gate.verdict in verdicts && Array.isArray(gate.checks)
    ? (gate as GateReport)
    : undefined
}
