import { html, raw } from 'hono/html'
import { counted } from '../../../src/counted.ts'
import type {
  Replay,
  ReplayChange,
  ReplayChoices,
  ReplayedTurn,
  ReplaySide,
  ReplaySummary,
} from '../../../src/ports/replay.ts'
import { duration, moment } from './format.ts'
import { csrfField, type Html, layout, type Page } from './layout.ts'
import { compareWords, type Stretch } from './words.ts'

/** Everything the replay page shows. */
export interface ReplayView extends ReplayPanel {
  readonly choices: ReplayChoices
  /** What the form begins with: a version's text. */
  readonly source: string
  readonly from: string
}

/** What changes while a replay runs. */
export interface ReplayPanel {
  readonly replay: Replay | undefined
  /** The version that serves. */
  readonly serving: string
}

/** The replay page: a candidate, and what it would have answered. */
export function replayPage(page: Page, view: ReplayView): Html {
  return layout(page, {
    current: 'replay',
    name: 'Replay',
    scripts: ['replay.js'],
    body: html`<main id="main" class="learning replay">
      <h1 class="quiet">Replay</h1>
      <section class="card" id="candidate">
        <div class="head"><h2>Try a profile on past conversations</h2><span class="dim">only admins see the replies, and nothing learns from them</span></div>
        ${versionForm(page, view)}
        ${startForm(page, view)}
      </section>
      <div id="panel" hx-get="${page.url('/replay/panel')}" hx-trigger="replay from:body" hx-swap="innerMorph">${replayPanel(page, view)}</div>
    </main>`,
  })
}

function versionForm(page: Page, { choices, from }: ReplayView): Html {
  return html`<form method="get" action="${page.url('/replay')}" class="row end">
    <label>Begin with version <select name="from">${choices.versions.map(
      ({ version, createdAt, serving }) =>
        html`<option value="${version}" ${version === from ? raw('selected') : ''}>${version}, ${createdAt.toISOString().slice(0, 10)}${serving ? ', serves' : ''}</option>`,
    )}</select></label>
    <button class="button">Show its text</button>
  </form>`
}

const ages: readonly (readonly [string, string])[] = [
  ['', 'any age'],
  ['1', 'the last day'],
  ['7', 'the last week'],
  ['30', 'the last month'],
]

function startForm(page: Page, { choices, source }: ReplayView): Html {
  const action = page.url('/replay/start')
  const count = (name: string, text: string, value: number, most: number) =>
    html`<label>${text} <input name="${name}" type="number" min="1" max="${most}" value="${value}" required inputmode="numeric" /></label>`
  return html`<form method="post" action="${action}" hx-post="${action}" hx-target="#panel" hx-swap="innerMorph" hx-disable="find button">
    ${csrfField(page)}
    <label for="profile">Candidate: change what you like</label>
    <textarea id="profile" name="profile" rows="12" spellcheck="false" required maxlength="100000">${source}</textarea>
    <div class="row end">
      ${count('threads', 'Conversations', 20, 200)} ${count('turns', 'Messages', 100, 1000)} ${count('minutes', 'Minutes', 10, 240)}
      <label>From <select name="age">${ages.map(([days, text]) => html`<option value="${days}">${text}</option>`)}</select></label>
      <label>First <select name="first"><option value="recent">the newest</option><option value="voted">those with votes</option></select></label>
      ${choices.tenants.length > 1 ? html`<label>Of <select name="tenant">${choices.tenants.map((name) => html`<option>${name}</option>`)}</select></label>` : ''}
      <button class="button primary">Replay</button>
    </div>
  </form>`
}

/** The newest replay, as far as it has come. */
export function replayPanel(page: Page, { replay, serving }: ReplayPanel): Html {
  if (!replay) return html`<p class="note">Nothing was replayed yet.</p>`
  const { id, state, turns, planned, profile } = replay
  const running = state === 'running'
  return html`<section class="card" id="replay-result">
    <div class="head"><h2>What <code>${profile}</code> answers</h2><span class="dim">${moment(replay.startedAt)}, ${replay.tenant}</span></div>
    ${running ? progress(page, replay) : ''}
    ${replay.note ? html`<p class="note">${replay.note}</p>` : ''}
    <div id="replay-summary">${summary(replay.summary)}</div>
    ${running ? '' : promotion(page, replay, serving)}
    ${filter()}
  </section>
  <ol id="replayed" aria-label="Messages with both replies" data-planned="${planned}" ${running ? html`data-events="${page.url(`/replay/events?id=${id}`)}"` : ''}>${turns.map((turn, nth) => pair(turn, turns[nth - 1]))}</ol>
  <p class="note none">None of the replies is of this kind.</p>`
}

function progress(page: Page, replay: Replay): Html {
  const { turns, planned } = replay
  const action = page.url('/replay/cancel')
  return html`<progress id="replay-bar" max="${planned}" value="${turns.length}" aria-label="Progress of the replay"></progress>
    <div class="row apart"><p id="replay-line" role="status">${progressText(replay)}</p>
      <form method="post" action="${action}" hx-post="${action}" hx-target="#panel" hx-swap="innerMorph">${csrfField(page)}<button class="button">Cancel</button></form>
    </div>`
}

/** How far it is, and how long the rest takes at this pace. */
export function progressText({ turns: { length: done }, planned, startedAt }: Replay, now = Date.now()): string {
  const left = (((now - startedAt.getTime()) / 1000) * (planned - done)) / Math.max(1, done)
  return `${done} of ${planned} messages${done > 0 && done < planned ? `, about ${duration(left)} left` : ''}`
}

/** The counts over all messages so far. */
export function summary(counts: ReplaySummary): Html {
  const { answered, unanswered, changed, words, cites, declines, liked, disliked, seconds } = counts
  if (answered === 0)
    return html`<p class="note">${unanswered > 0 ? `It could answer none of ${unanswered}.` : '…'}</p>`
  const fact = (name: string, text: string) => html`<div><dt>${name}</dt><dd>${text}</dd></div>`
  const both = ([old, fresh]: readonly [number, number]) => `${old} → ${fresh}`
  const part = ([all, otherwise]: readonly [number, number]) => `${otherwise} of ${all}`
  const mean = words.map((sum) => Math.round(sum / answered)) as [number, number]
  return html`<dl class="numbers">
    ${fact('Changed', `${changed} of ${answered}`)} ${fact('Words a reply', both(mean))} ${fact('With a source', both(cites))}
    ${fact('Don’t know', both(declines))}
    ${disliked[0] > 0 ? fact('Disliked, changed', part(disliked)) : ''} ${liked[0] > 0 ? fact('Liked, changed', part(liked)) : ''}
    ${fact('Seconds a reply', seconds.toFixed(1))} ${unanswered > 0 ? fact('Not answered', String(unanswered)) : ''}
  </dl>`
}

function promotion(page: Page, { id, profile, summary: { answered } }: Replay, serving: string): Html {
  if (profile === serving)
    return html`<p><span class="tag">serves</span> <span class="dim">This is the profile that serves.</span></p>`
  if (answered === 0) return html``
  const action = page.url('/replay/promote')
  return html`<form method="post" action="${action}" hx-post="${action}" hx-target="#panel" hx-swap="innerMorph" hx-disable="find button" hx-confirm="Let ${profile} shape every reply from the next one on?">
    ${csrfField(page)}<input type="hidden" name="id" value="${id}" /><button class="button primary">Promote this profile</button>
    <span class="dim">${serving} serves now; <code>profile rollback</code> brings it back</span>
  </form>`
}

const shown: readonly (readonly [string, string])[] = [
  ['all', 'All'],
  ['changed', 'Changed'],
  ['facts', 'Other sources or refusal'],
  ['judged', 'Judged by people'],
]

/** Which messages are shown; the style sheet does it, so it works at once and without a script. */
function filter(): Html {
  return html`<fieldset class="filter" hx-morph-skip><legend class="quiet">Show</legend>${shown.map(
    ([name, text]) =>
      html`<label class="chip"><input type="radio" name="show" id="show-${name}" ${name === 'all' ? raw('checked') : ''} /> ${text}</label>`,
  )}</fieldset>`
}

/** What is otherwise, in words; what isn't is said too. */
function tagsOf({ changes, fresh, otherPassages }: ReplayedTurn): readonly string[] {
  if (!fresh) return []
  const names: Readonly<Record<ReplayChange, string>> = {
    words: 'other words',
    sources: 'other sources',
    refusal: fresh.declines ? 'doesn’t know now' : 'knows now',
  }
  const changed = changes.map((change) => names[change])
  return [...(changed.length > 0 ? changed : ['same']), ...(otherPassages ? ['other passages'] : [])]
}

/** A message with both replies; the first of a conversation says where it was. */
export function pair(turn: ReplayedTurn, before: ReplayedTurn | undefined): Html {
  const { question, old, fresh, changes, why, said } = turn
  const [then, now] = compareWords(old.text, fresh?.text ?? old.text)
  const facts = changes.some((change) => change !== 'words')
  const judged = said.up + said.down + said.corrections.length > 0
  const kinds = ['pair', changes.length > 0 && 'is-changed', facts && 'is-facts', judged && 'is-judged'].filter(Boolean)
  return html`<li class="card ${kinds.join(' ')}">
    ${before?.thread === turn.thread ? '' : html`<p class="dim place">A conversation on ${turn.channel}, ${moment(turn.askedAt)}</p>`}
    <div class="head"><h3>${question}</h3><span>${tagsOf(turn).map((text) => html`<span class="tag">${text}</span> `)}</span></div>
    <div class="sides">
      ${side('Then', old, { stretches: then, mark: 'del' })}
      ${fresh ? side('Now', fresh, { stretches: now, mark: 'ins' }) : html`<section class="side" aria-label="Now"><h4>Now</h4><p class="failed">${why}</p></section>`}
    </div>
    ${judged ? opinions(said) : ''}
  </li>`
}

function side(
  name: string,
  { version, profile, words, cites, seconds }: ReplaySide,
  { stretches, mark }: { readonly stretches: readonly Stretch[]; readonly mark: 'del' | 'ins' },
): Html {
  const marked = (text: string) => (mark === 'del' ? html`<del>${text}</del>` : html`<ins>${text}</ins>`)
  // What was asked a while ago was answered in its time; imported replies have none.
  const took = seconds > 0 && seconds < 3600 ? (seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds)) : ''
  const facts = [counted(words, 'word'), cites.length > 0 ? cites.join('; ') : 'no source', took]
  return html`<section class="side" aria-label="${name}">
    <h4>${name} <span class="dim">${version}, <code>${profile}</code></span></h4>
    <p class="plain">${stretches.map(({ text, same }) => (same ? text : marked(text)))}</p>
    <p class="dim facts-line">${facts.filter(Boolean).join(' · ')}</p>
  </section>`
}

function opinions({ up, down, corrections }: ReplayedTurn['said']): Html {
  const votes = [up > 0 ? `${up} up` : '', down > 0 ? `${down} down` : ''].filter(Boolean).join(', ')
  return html`<p class="dim">People said of the reply then: ${votes || 'a better answer'}</p>
    ${corrections.map((text) => html`<div class="better-given"><h4>Better answer</h4><p class="plain">${text}</p></div>`)}`
}
