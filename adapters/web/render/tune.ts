import { html, raw } from 'hono/html'
import type { TuneFigure, TuneReport } from '../../../src/ports/tune.ts'
import { figure, moment } from './format.ts'
import { csrfField, type Html, type Page } from './layout.ts'

/** The newest search for a better prompt, and the button for another one. `null`: none was searched yet. */
export function tuneCard(page: Page, report: TuneReport | null, running: boolean): Html {
  return html`<section class="card" id="tune">
    <div class="head"><h2>Prompt tuning</h2><span class="dim">${report ? moment(report.startedAt) : ''}</span></div>
    ${report ? result(page, report) : html`<p class="note">Hidden prompts, rules and examples can be searched on your feedback, without training. Nothing was searched yet.</p>`}
    ${page.admin ? startForm(page, running) : ''}
  </section>`
}

function result(page: Page, { best, figures, gate, version, promoted, text, tried, plan }: TuneReport): Html {
  const kind = version === undefined ? 'refuse' : (gate?.verdict ?? 'refuse')
  return html`<p class="verdict ${kind}">${text}</p>
    ${figures.length > 0 ? figureTable(figures) : ''}
    ${best && page.admin ? html`<details><summary>What it changes: ${best.what}</summary><pre>${best.lines.join('\n')}</pre></details>` : ''}
    <p class="dim">${tried.length} candidates on ${plan.prompts.scored} prompts of the training side${promoted ? '' : '; the profile that serves was not changed'}.</p>`
}

function figureTable(figures: readonly TuneFigure[]): Html {
  return html`<div class="scroll" tabindex="0"><table>
    <thead><tr><th scope="col">On the held-out side</th><th scope="col" class="figure">Before</th><th scope="col" class="figure">After</th><th scope="col">90 % interval</th><th scope="col" class="figure">n</th></tr></thead>
    <tbody>${figures.map(({ what, before, after, interval, n, unit }) => html`<tr><th scope="row">${what}</th><td class="figure">${say(before, unit)}</td><td class="figure">${say(after, unit)}</td><td>${interval ? `${say(interval[0], unit)} to ${say(interval[1], unit)}` : ''}</td><td class="figure">${n}</td></tr>`)}</tbody></table></div>`
}

function say(value: number | undefined, unit: TuneFigure['unit']): string {
  if (value === undefined || !Number.isFinite(value)) return '–'
  return unit === 'share' ? `${Math.round(value * 100)} %` : figure(value)
}

function startForm(page: Page, running: boolean): Html {
  const action = page.url('/learning/tune')
  return html`<form method="post" action="${action}" hx-post="${action}" hx-target="#panel" hx-swap="innerMorph" hx-disable="find button" hx-confirm="Search a better prompt? It takes a quarter of an hour and the gate after it; people go on chatting meanwhile.">
    ${csrfField(page)}<button class="button" ${running ? raw('disabled') : ''}>Search a better prompt</button>
    <span class="dim">what passes waits until you promote it</span>
  </form>`
}
