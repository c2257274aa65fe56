import { html, raw } from 'hono/html'
import type { Notice } from '../stream.ts'
import type { ExchangeView } from '../view.ts'
import { icons } from './icons.ts'
import { csrfField, type Html, layout, type Page } from './layout.ts'
import { exchange } from './reply.ts'

/** One line of the list of conversations. */
export interface ThreadLine {
  readonly name: string
  readonly title: string
}

/** A conversation as the chat page shows it. */
export interface ChatView {
  readonly name: string
  readonly exchanges: readonly ExchangeView[]
  readonly threads: readonly ThreadLine[]
  /** Where the stream of events goes on from. */
  readonly cursor: string
  /** Questions to start with, for an empty conversation. */
  readonly examples: readonly string[]
  readonly limit: number
}

/** The chat page: conversations, messages, composer. */
export function chatPage(page: Page, view: ChatView): Html {
  const first = view.exchanges[0]?.text ?? 'New chat'
  return layout(page, {
    current: 'chat',
    name: first.length > 60 ? `${first.slice(0, 59)}…` : first,
    body: html`<div class="chat-grid">
      <nav id="threads" class="threads" popover aria-label="Conversations">
        <a class="button new" href="${page.url('/')}">${icons.plus} New chat</a>
        <div id="thread-list" hx-get="${page.url(`/threads?current=${view.name}`)}" hx-trigger="threads from:body">${threadList(page, view.threads, view.name)}</div>
      </nav>
      <main id="main" class="chat" tabindex="-1">
        <ol id="messages" aria-label="Messages" data-address="${page.url(`/t/${view.name}`)}" data-events="${page.url(`/t/${view.name}/events`)}" data-messages="${page.url(`/t/${view.name}/messages`)}">
          ${messages(page, view)}
        </ol>
        <p id="said-aloud" class="quiet" aria-live="polite"></p>
        ${composer(page, view)}
      </main>
    </div>`,
  })
}

/** The messages alone, as they are after a gap in the stream. */
export function messages(page: Page, view: ChatView): Html {
  if (view.exchanges.length === 0)
    return html`<li class="empty" data-cursor="${view.cursor}">${welcome(page, view)}</li>`
  return html`${view.exchanges.map((one) => exchange(page, one))}<li hidden data-cursor="${view.cursor}"></li>`
}

function welcome(page: Page, view: ChatView): Html {
  return html`<div class="welcome">${icons.mark}
    <h1>What would you like to know?</h1>
    <p class="dim">Every answer carries its sources. Your thumbs teach ${page.title} which answers are good.</p>
    ${view.examples.length > 0 ? html`<div class="examples">${view.examples.map((text) => html`<button class="example" type="button" data-example>${text}</button>`)}</div>` : ''}
  </div>`
}

function composer(page: Page, view: ChatView): Html {
  const action = page.url(`/t/${view.name}/messages`)
  return html`<form id="composer" class="composer" method="post" action="${action}" hx-post="${action}" hx-target="#messages" hx-swap="beforeend"
      hx-status:422="target:#composer-problem swap:innerHTML">
    ${csrfField(page)}<input type="hidden" name="event" value="${page.newEvent()}" />
    <div class="field">
      <label class="quiet" for="text">Your message</label>
      <textarea id="text" name="text" rows="1" data-limit="${view.limit}" placeholder="Ask ${page.title}" aria-describedby="composer-problem" enterkeyhint="send" ${view.exchanges.length === 0 ? raw('autofocus') : ''}></textarea>
      <button class="send" aria-label="Send" title="Send (Enter)">${icons.send}</button>
    </div>
    <p id="composer-problem" class="problem" role="alert"></p>
  </form>`
}

/** The list of a person's conversations, newest first. */
export function threadList(page: Page, threads: readonly ThreadLine[], current: string): Html {
  if (threads.length === 0) return html`<p class="dim">Your conversations will stand here.</p>`
  return html`<ul>${threads.map(
    ({ name, title }) =>
      html`<li><a href="${page.url(`/t/${name}`)}" ${name === current ? raw('aria-current="page"') : ''}>${title || 'Untitled'}</a></li>`,
  )}</ul>`
}

/** Something said in a thread that is no reply. */
export function noticeLine(notice: Notice, body: Html): Html {
  return html`<li class="notice-line" id="n-${notice.seq}">${body}</li>`
}
