import { html, raw } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { icons } from './icons.ts'
import { markdown } from './markdown.ts'

/** Escaped HTML. Every template here is synchronous; the union is hono's. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>

/** What every template needs to know. */
export interface Page {
  readonly title: string
  readonly url: (path: string) => string
  readonly asset: (name: string) => string
  readonly csrf: string
  readonly admin: boolean
  readonly personName: string
  /** Markdown shown above every page. */
  readonly notice: string
  readonly learning: boolean
  /** Past conversations can be replayed. */
  readonly replays: boolean
  /** A fresh id for a form that may be sent twice by mistake. */
  readonly newEvent: () => string
}

/** The hidden field that every form carries. */
export function csrfField(page: Page): Html {
  return html`<input type="hidden" name="csrf" value="${page.csrf}" />`
}

// 4xx and 5xx are shown as a message by hone.js and must not replace what is on the page.
const htmxConfig = JSON.stringify({ includeIndicatorCSS: false, noSwap: [204, 304, '4xx', '5xx'] })

/** The whole document around a page. */
export function layout(
  page: Page,
  options: { current: string; name: string; scripts?: readonly string[]; body: Html },
): Html {
  const scripts = ['htmx.min.js', ...(options.scripts ?? [])]
  return html`<!doctype html>
<html lang="en" data-base="${page.url('/')}">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content" />
    <meta name="color-scheme" content="light dark" />
    <meta name="csrf" content="${page.csrf}" />
    <meta name="htmx-config" content="${htmxConfig}" />
    <title>${options.name} · ${page.title}</title>
    <link rel="icon" href="${page.asset('icon.svg')}" type="image/svg+xml" />
    ${options.current === 'learning' ? html`<link rel="stylesheet" href="${page.asset('uPlot.min.css')}" />` : ''}
    <link rel="stylesheet" href="${page.asset('hone.css')}" />
    ${scripts.map((name) => html`<script src="${page.asset(name)}" defer></script>`)}
    <script src="${page.asset('hone.js')}" type="module"></script>
  </head>
  <body class="${options.current}">
    <a class="skip" href="#main">Skip to the content</a>
    ${header(page, options.current)}
    ${page.notice ? html`<div class="notice" role="note">${raw(markdown(page.notice))}</div>` : ''}
    ${options.body}
    <div id="toast" role="alert"></div>
  </body>
</html>`
}

function header(page: Page, current: string): Html {
  const link = (name: string, path: string, text: string) =>
    html`<a href="${page.url(path)}" ${current === name ? raw('aria-current="page"') : ''}>${text}</a>`
  return html`<header class="top">
    ${current === 'chat' ? html`<button class="tool menu" type="button" popovertarget="threads" aria-label="Conversations">${icons.menu}</button>` : ''}
    <a class="brand" href="${page.url('/')}">${icons.mark}<span>${page.title}</span></a>
    <nav aria-label="Pages">${link('chat', '/', 'Chat')}${page.learning ? link('learning', '/learning', 'Learning') : ''}${page.admin && page.replays ? link('replay', '/replay', 'Replay') : ''}</nav>
    ${account(page)}
  </header>`
}

function account(page: Page): Html {
  return html`<button class="tool account" type="button" popovertarget="account" aria-label="${page.personName}: name and sign-in"><span class="name">${page.personName}</span>${page.admin ? html` <span class="tag">admin</span>` : ''}</button>
    <div class="popover" id="account" popover>
      <form method="post" action="${page.url('/name')}">${csrfField(page)}
        <label for="name">Your name</label>
        <div class="row"><input id="name" name="name" value="${page.personName}" maxlength="60" autocomplete="nickname" required /><button class="button">Save</button></div>
      </form>
      ${
        page.admin
          ? html`<form method="post" action="${page.url('/logout')}">${csrfField(page)}<button class="button">Sign out as admin</button></form>`
          : html`<p><a href="${page.url('/login')}">Sign in as admin</a> to train and to choose versions.</p>`
      }
    </div>`
}

/** A page that says one thing: what went wrong and what to do. */
export function messagePage(page: Page, options: { name: string; text: string; help?: string }): Html {
  return layout(page, {
    current: 'message',
    name: options.name,
    body: html`<main id="main" class="card narrow"><h1>${options.name}</h1><p>${options.text}</p>${options.help ? html`<p class="dim">${options.help}</p>` : ''}<p><a class="button" href="${page.url('/')}">Back to the chat</a></p></main>`,
  })
}

/** The sign-in form for admins. */
export function loginPage(page: Page, problem: string): Html {
  return layout(page, {
    current: 'message',
    name: 'Sign in',
    body: html`<main id="main" class="card narrow">
      <h1>Sign in as admin</h1>
      <p class="dim"><code>hone serve</code> prints the admin token, and a link that signs you in at once, when it starts.</p>
      <form method="post" action="${page.url('/login')}">${csrfField(page)}
        <label for="token">Admin token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required ${problem ? raw('aria-describedby="problem"') : ''} autofocus />
        ${problem ? html`<p class="problem" id="problem" role="alert">${problem}</p>` : ''}
        <button class="button primary">Sign in</button>
      </form>
    </main>`,
  })
}
