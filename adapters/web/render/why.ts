import { html } from 'hono/html'
import { counted } from '../../../src/counted.ts'
import type { Why } from '../../../src/ports/bot.ts'
import type { PairTrace } from '../../../src/ports/learning.ts'
import type { Html, Page } from './layout.ts'

const origins: Readonly<Record<PairTrace['origin'], string>> = {
  votes: 'from thumbs',
  correction: 'from better answers',
  duel: 'from duels',
  import: 'imported',
}

/** Why a reply says what it says. Other people's words and hidden prompts are for admins. */
export function whyPanel(page: Page, why: Why): Html {
  const { turn } = why
  return html`<dl class="facts">
      <dt>Version</dt><dd>${turn.version}${turn.version === 'v0' ? ' (the base model, not trained here)' : ''}</dd>
      <dt>Profile</dt><dd><code>${turn.profile}</code></dd>
      <dt>Passages</dt><dd>${turn.sources.length === 0 ? 'none' : html`<ol>${turn.sources.map((one) => html`<li value="${one.number}">${one.title} <span class="dim">${one.document}</span></li>`)}</ol>`}</dd>
      ${turn.tools ? html`<dt>Tools</dt><dd>${turn.tools.map(({ name, state }) => `${name} (${state})`).join(', ')}</dd>` : ''}
      ${explanation(page, why)}
      <dt>Votes on this reply</dt><dd>${votes(why)}</dd>
      <dt>Learned from</dt><dd>${pairs(page, why.pairs)}</dd>
      <dt>Tokens</dt><dd>${turn.usage.prompt} in (${turn.usage.evaluated} newly read), ${turn.usage.completion} out</dd>
    </dl>
    ${page.admin ? html`<details class="prompt"><summary>The whole prompt</summary><pre tabindex="0">${why.promptText}</pre></details>` : ''}`
}

/** What is kept for training alone is for admins. */
function explanation(page: Page, { turn }: Why): Html {
  const { style, show, text } = turn.explanation ?? {}
  if (text === undefined || (show === 'hidden' && !page.admin)) return html``
  return html`<dt>Explanation</dt><dd>${text} <span class="dim">${style}, ${show}</span></dd>`
}

function votes(why: Why): string {
  const up = why.votes.filter((vote) => vote.verdict === 'up').length
  const down = why.votes.filter((vote) => vote.verdict === 'down').length
  return up + down === 0 ? 'none yet' : `${up} up, ${down} down`
}

function pairs(page: Page, traces: readonly PairTrace[]): Html {
  if (traces.length === 0) return html`no votes: this version was not trained here`
  const people = new Set(traces.flatMap((trace) => trace.people)).size
  const counts = Object.entries(origins)
    .map(([origin, words]) => ({ n: traces.filter((trace) => trace.origin === origin).length, words }))
    .filter(({ n }) => n > 0)
    .map(({ n, words }) => `${n} ${words}`)
  return html`${counted(traces.length, 'pair')} (${counts.join(', ')}), by ${counted(people, 'person', 'people')}
    ${page.admin ? html`<details><summary>Which</summary><ul>${traces.slice(0, 100).map((one) => html`<li><code>${one.chosen}</code> over <code>${one.rejected}</code></li>`)}</ul></details>` : ''}`
}
