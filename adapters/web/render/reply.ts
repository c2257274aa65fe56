import { html, raw } from 'hono/html'
import type { Reply, Source } from '../../../src/ports/channel.ts'
import { keyOf } from '../family.ts'
import type { Live } from '../stream.ts'
import type { ExchangeView, ReplyView, SlotView } from '../view.ts'
import { icons } from './icons.ts'
import { csrfField, type Html, type Page } from './layout.ts'
import { markdown } from './markdown.ts'

const reasons = ['Not correct', 'Not what I asked', 'Too long', 'Too short', 'No source', 'Tone'] as const

/** One message and what stands under it. */
export function exchange(page: Page, view: ExchangeView): Html {
  return html`<li class="exchange" id="x-${view.key}">
    <div class="said"><h3 class="quiet">You wrote</h3><p>${view.text}</p></div>
    <div class="slot" id="slot-${view.key}">${slot(page, view.slot)}</div>
  </li>`
}

/** What stands under a message: a reply, one in the making, a duel, or why there is none. */
export function slot(page: Page, view: SlotView): Html {
  switch (view.kind) {
    case 'reply':
      return reply(page, view.reply)
    case 'live':
      return liveReply(page, view.live)
    case 'duel':
      return duel(page, view)
    case 'failed':
      return html`<p class="note failed" role="alert">${view.message}</p>`
    case 'none':
      return html`<p class="note">This message has no reply yet.</p>`
  }
}

/** The reply as it streams in; `body` and `status` are what changes. */
export function liveReply(page: Page, live: Live): Html {
  const id = keyOf(live.event.id)
  const event = live.event.id.slice(live.event.id.lastIndexOf(':') + 1)
  const name = live.event.thread.slice(live.event.thread.lastIndexOf(':') + 1)
  return html`<article class="reply live" id="r-${id}" aria-busy="true">
    <h3 class="quiet">${page.title} is answering</h3>
    <div class="body">${liveBody(live)}</div>
    <div class="foot">
      <form method="post" action="${page.url(`/t/${name}/stop`)}" hx-post="${page.url(`/t/${name}/stop`)}" hx-swap="none" data-stop>
        ${csrfField(page)}<input type="hidden" name="event" value="${event}" />
        <button class="tool">${icons.stop} Stop</button>
      </form>
      <span class="status">${liveStatus(live)}</span>
    </div>
  </article>`
}

/** The text so far, or a quiet sign of life before there is any. */
export function liveBody(live: Live): Html {
  if (live.text === '') return html`<p class="pulse"><i></i><i></i><i></i></p>`
  return raw(markdown(live.text, anchorOf(keyOf(live.event.id)), live.sources))
}

/** What the bot is doing, in a few words. */
export function liveStatus(live: Live): string {
  if (live.text !== '') return 'Writing …'
  return live.status || 'Thinking …'
}

/** A finished reply with its sources, thumbs and what follows from them. */
export function reply(page: Page, view: ReplyView): Html {
  return html`<article class="reply" id="r-${keyOf(view.turn)}">
    <h3 class="quiet">${page.title} answered</h3>
    <div class="body">${raw(markdown(view.text, anchorOf(view.turn), view.sources))}</div>
    ${explained(view)}
    ${passages(view.turn, view.sources)}
    ${view.decided ? html`<p class="note">${view.decided}</p>` : ''}
    ${bar(page, view)}
  </article>`
}

/** Why the answer is so, folded away unless the profile shows it. */
function explained({ turn, explanation, sources }: ReplyView): Html {
  if (!explanation) return html``
  return html`<details class="explanation" ${explanation.open ? 'open' : ''}>
    <summary>Why this answer</summary>
    <div class="body">${raw(markdown(explanation.text, anchorOf(turn), sources))}</div>
  </details>`
}

/** The row under a reply. Swapped as one piece, so that it always shows what is stored. */
export function bar(page: Page, view: ReplyView): Html {
  return html`<div class="bar" id="bar-${keyOf(view.turn)}">
    <div class="foot">
      ${thumb(page, view, 'up')} ${thumb(page, view, 'down')} ${pager(page, view)}
      <button class="tool" type="button" hx-get="${page.url(`/turns/${encodeURIComponent(view.turn)}/why`)}"
        hx-target="#why-${keyOf(view.turn)}" aria-expanded="false" aria-controls="why-${keyOf(view.turn)}" data-why>${icons.why} Why?</button>
      <span class="status">${view.version}</span>
    </div>
    ${view.correction === undefined ? '' : html`<div class="better-given"><h4>Your better answer</h4>${raw(markdown(view.correction))}</div>`}
    ${view.verdict === 'down' ? afterDown(page, view) : ''}
    <div class="why" id="why-${keyOf(view.turn)}"></div>
  </div>`
}

function thumb(page: Page, view: ReplyView, verdict: 'up' | 'down'): Html {
  const on = view.verdict === verdict
  const label = `${verdict === 'up' ? 'Good' : 'Bad'} answer${on ? ': chosen; press to withdraw' : ''}`
  return turnForm(
    page,
    view,
    'vote',
  )(html`<input type="hidden" name="verdict" value="${on ? 'none' : verdict}" />
    <button class="tool thumb ${on ? 'on' : ''}" id="${verdict}-${keyOf(view.turn)}" aria-pressed="${String(on)}" aria-label="${label}" title="${label}">${icons[verdict]}</button>`)
}

function afterDown(page: Page, view: ReplyView): Html {
  const again = page.url(`/turns/${encodeURIComponent(view.turn)}/retry`)
  return html`<div class="after-down">
    <div class="chips" role="group" aria-label="What was wrong? (optional)">
      ${reasons.map((reason) =>
        turnForm(
          page,
          view,
          'vote',
        )(html`<input type="hidden" name="verdict" value="down" />
          <input type="hidden" name="reason" value="${view.reason === reason ? '' : reason}" />
          <button class="chip ${view.reason === reason ? 'on' : ''}" aria-pressed="${String(view.reason === reason)}">${reason}</button>`),
      )}
    </div>
    <div class="row">
      <form method="post" action="${again}" hx-post="${again}" hx-target="closest .slot" data-retry>
        ${csrfField(page)}<input type="hidden" name="event" value="${page.newEvent()}" />
        <button class="button">${icons.again} Try again</button>
      </form>
      <details class="better">
        <summary class="button">${icons.pen} Suggest a better answer</summary>
        ${turnForm(
          page,
          view,
          'correction',
        )(html`<label class="quiet" for="better-${keyOf(view.turn)}">Your better answer</label>
          <textarea id="better-${keyOf(view.turn)}" name="text" rows="4" required>${view.correction ?? view.text}</textarea>
          <button class="button primary">Keep this answer</button>`)}
      </details>
    </div>
  </div>`
}

function turnForm(page: Page, view: ReplyView, what: string): (inside: Html) => Html {
  const action = page.url(`/turns/${encodeURIComponent(view.turn)}/${what}`)
  return (inside) =>
    html`<form method="post" action="${action}" hx-post="${action}" hx-target="#bar-${keyOf(view.turn)}" hx-swap="outerMorph">${csrfField(page)}${inside}</form>`
}

function pager(page: Page, view: ReplyView): Html {
  if (view.siblings.length < 2) return html``
  const index = view.siblings.indexOf(view.turn)
  const step = (to: number, label: string, icon: Html) => {
    const turn = view.siblings[to]
    if (turn === undefined) return html`<span class="tool off">${icon}</span>`
    return html`<button class="tool" type="button" hx-get="${page.url(`/turns/${encodeURIComponent(turn)}`)}" hx-target="closest .slot" aria-label="${label}">${icon}</button>`
  }
  return html`<span class="pager" role="group" aria-label="Replies to this message">
    ${step(index - 1, 'Earlier reply', icons.left)}<span>${index + 1}/${view.siblings.length}</span>${step(index + 1, 'Later reply', icons.right)}
  </span>`
}

/** Two replies side by side, without a hint at which version wrote which. */
export function duel(page: Page, view: Extract<SlotView, { kind: 'duel' }>): Html {
  const action = page.url(`/duels/${encodeURIComponent(view.duel)}`)
  const side = (name: string, one: Reply) => html`<section class="side" aria-label="${name} reply">
    <h4>${name}</h4>
    <div class="body">${raw(markdown(one.text, anchorOf(one.turn), one.sources))}</div>
    ${passages(one.turn, one.sources)}
  </section>`
  const choice = (outcome: string, text: string) =>
    html`<button class="button" name="outcome" value="${outcome}">${text}</button>`
  return html`<article class="reply duel" id="d-${keyOf(view.duel)}">
    <p class="note">Two answers to one question. Which is better? The versions are shown once you have chosen.</p>
    <div class="sides">${side('Left', view.left)}${side('Right', view.right)}</div>
    <form class="choices" method="post" action="${action}" hx-post="${action}" hx-target="closest .slot" role="group" aria-label="Which answer is better?">
      ${csrfField(page)}<input type="hidden" name="left" value="${view.left.turn}" /><input type="hidden" name="right" value="${view.right.turn}" />
      ${choice('left', 'Left')}${choice('right', 'Right')}${choice('tie', 'Tie')}${choice('both-bad', 'Both bad')}
    </form>
  </article>`
}

function passages(turn: string, sources: readonly Source[]): Html {
  if (sources.length === 0) return html``
  return html`<div class="sources" role="group" aria-label="Sources">${sources.map(
    (source) => html`<details class="source" id="${anchorOf(turn)}${source.number}">
      <summary><span class="number">${source.number}</span> ${source.title}</summary>
      <blockquote>${raw(markdown(source.text))}</blockquote>
      <p class="origin">${source.url && /^https?:/.test(source.url) ? html`<a href="${source.url}" rel="noreferrer noopener" target="_blank">${source.document}</a>` : source.document}</p>
    </details>`,
  )}</div>`
}

function anchorOf(turn: string): string {
  return `src-${keyOf(turn)}-`
}
