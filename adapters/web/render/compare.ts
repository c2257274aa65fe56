import { html, raw } from 'hono/html'
import type { ComparedRow, Comparison, Figure, Measurement } from '../../../src/ports/compare.ts'
import { duration, figure, moment, size } from './format.ts'
import { csrfField, type Html, type Page } from './layout.ts'

/** The newest comparison of techniques, and the button for another one. `null`: nothing was compared yet. */
export function compareCard(page: Page, comparison: Comparison | null, running: boolean): Html {
  return html`<section class="card" id="compare">
    <div class="head"><h2>Techniques compared</h2><span class="dim">${comparison ? moment(comparison.startedAt) : ''}</span></div>
    ${comparison ? result(comparison) : html`<p class="note">Which technique suits your feedback best is measured on what was held out. Nothing was compared yet.</p>`}
    ${page.admin ? startForm(page, running) : ''}
  </section>`
}

function result({ rows, advice, heldOut, budget }: Comparison): Html {
  const { minutes, rows: most, epochs } = budget
  const on = most === undefined ? 'all rows' : `the newest ${most} rows`
  return html`<p class="verdict ${advice.row ? 'promote' : 'hold'}">${advice.text}</p>
    <div class="scroll" tabindex="0"><table>
      <thead><tr><th scope="col">Technique</th><th scope="col">Nearer to what people chose</th><th scope="col" class="figure">Prefers it</th><th scope="col" class="figure">Values</th><th scope="col" class="figure">Golden</th><th scope="col" class="figure">Declines</th><th scope="col" class="figure">Perplexity</th><th scope="col" class="figure">Tokens</th><th scope="col">Training</th></tr></thead>
      <tbody>${rows.map((row) => tableRow(row, row.id === advice.row))}</tbody></table></div>
    ${rows.map(lost)}
    <p class="dim">${heldOut} held-out prompts. The bar is the 90 % interval, the line in the middle the base. Each technique: at most ${minutes} minutes of training on ${on}${epochs === undefined ? '' : `, ${epochs} epochs`}.</p>`
}

function tableRow({ id, label, what, measured, why }: ComparedRow, advised: boolean): Html {
  const name = html`<th scope="row" title="${what}">${label} ${advised ? html`<span class="tag">recommended</span>` : ''}</th>`
  if (!measured)
    return html`<tr id="technique-${id}">${name}<td colspan="8" class="dim">${why ?? 'not measured yet'}</td></tr>`
  const { nearer, prefers, values, right, declines, perplexity, tokens, trainSeconds, memoryMb, fails } = measured
  const cost =
    trainSeconds > 0 ? `${duration(trainSeconds)}${memoryMb === undefined ? '' : `, ${size(memoryMb * 1e6)}`}` : '–'
  return html`<tr id="technique-${id}">${name}
    <td>${id === 'base' ? 'the reference' : plot(label, nearer)}${fails.length > 0 ? html` <a class="fail" href="#lost-${id}" title="${fails.join('; ')}">✕ lost</a>` : ''}</td>
    ${[prefers, values, right, declines].map((share) => html`<td class="figure">${percent(share)}</td>`)}
    <td class="figure">${perplexity ? figure(perplexity.value) : '–'}</td><td class="figure">${figure(tokens)}</td><td>${cost}</td></tr>`
}

/** Why a technique is not recommended, however near it came; too long for the table. */
function lost({ id, label, measured }: ComparedRow): Html {
  if (!measured || measured.fails.length === 0) return html``
  return html`<p id="lost-${id}"><strong>${label}</strong> <span class="fail">lost</span>: ${measured.fails.join('; ')}.</p>`
}

const width = 120
const height = 14

/** A share with its interval on a line from 0 to 100 %, drawn here: it needs no script. */
function plot(label: string, { value, interval }: Measurement['nearer']): Html {
  const [low, high] = interval ?? [value, value]
  const at = (share: number) => (share * width).toFixed(1)
  const middle = height / 2
  const said = `${percent({ value })}, ${percent({ value: low })} to ${percent({ value: high })}`
  return html`<svg class="interval" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}: ${said}">
    <line class="axis" x1="${at(0.5)}" x2="${at(0.5)}" y1="0" y2="${height}"></line>
    <line class="range" x1="${at(low)}" x2="${at(high)}" y1="${middle}" y2="${middle}"></line>
    <circle class="point" cx="${at(value)}" cy="${middle}" r="4"></circle>
  </svg> ${percent({ value })} <span class="dim">(${Math.round(low * 100)} to ${Math.round(high * 100)})</span>`
}

function percent(share: Pick<Figure, 'value'> | undefined): string {
  return share && Number.isFinite(share.value) ? `${Math.round(share.value * 100)} %` : '–'
}

function startForm(page: Page, running: boolean): Html {
  const action = page.url('/learning/compare')
  return html`<form method="post" action="${action}" hx-post="${action}" hx-target="#panel" hx-swap="innerMorph" hx-disable="find button" hx-confirm="Measure every technique? It trains several times, one after the other; people go on chatting meanwhile.">
    ${csrfField(page)}<button class="button" ${running ? raw('disabled') : ''}>Compare techniques</button>
    <span class="dim">goes on where it was stopped; nothing of it will serve</span>
  </form>`
}
