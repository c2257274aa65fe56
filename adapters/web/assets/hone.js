// The page's own script: sending with Enter, the stream of replies, sources, small messages. No build, no globals.

const one = (selector, root = document) => root.querySelector(selector)
const messages = one('#messages')
const composer = one('#composer')

// Requests --------------------------------------------------------------------------------------------------------

document.addEventListener('htmx:config:request', ({ detail }) => {
  detail.ctx.request.headers['X-Hone-Csrf'] = one('meta[name=csrf]').content
})
document.addEventListener('htmx:response:error', ({ detail }) => {
  const { ctx } = detail
  if (ctx.sourceElement === composer && ctx.response.status === 422) return
  toast(ctx.text || `The server answered ${ctx.response.status}.`)
})
document.addEventListener('htmx:error', ({ detail }) => {
  const sent = detail.ctx?.sourceElement
  toast(sent === composer ? 'Not sent: Hone can’t be reached. Your message is still here; send it again.' : 'Hone can’t be reached. Try again.')
})

let toastTimer
export function toast(text) {
  const box = one('#toast')
  box.textContent = text
  clearTimeout(toastTimer)
  toastTimer = setTimeout(() => { box.textContent = '' }, 8000)
}

/** A fresh id for the next message; `crypto.randomUUID` needs https or localhost, this doesn't. */
function newEvent() {
  return `e_${[...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

// Times in the reader's own way ------------------------------------------------------------------------------------

function localTimes() {
  for (const time of document.querySelectorAll('time[datetime]')) {
    time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })
  }
}
localTimes()
document.addEventListener('htmx:after:swap', localTimes)

// Composer --------------------------------------------------------------------------------------------------------

if (composer) {
  const text = one('textarea', composer)
  const problem = one('#composer-problem')
  const limit = Number(text.dataset.limit)
  const check = () => {
    const over = text.value.trim().length - limit
    problem.textContent = over > 0 ? `${over.toLocaleString()} characters too long; at most ${limit.toLocaleString()} fit.` : ''
    return over <= 0 && text.value.trim() !== ''
  }
  text.addEventListener('input', () => { if (problem.textContent || text.value.length > limit) check() })
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    composer.requestSubmit()
  })
  // The form must not go out empty or too long; what the server refuses anyway is said before it is sent.
  composer.addEventListener('submit', (event) => {
    if (check()) return
    event.preventDefault()
    event.stopImmediatePropagation()
    text.focus()
  }, true)
  composer.addEventListener('htmx:after:request', ({ detail }) => {
    if (detail.ctx.sourceElement !== composer || detail.ctx.response.status !== 202) return
    one('.empty')?.remove()
    text.value = ''
    problem.textContent = ''
    one('input[name=event]', composer).value = newEvent()
    stuck = true
    // From now on this page is that conversation, so that a reload comes back to it.
    history.replaceState(null, '', messages.dataset.address)
  })
  // The stream may have shown the message before the answer to sending it came.
  composer.addEventListener('htmx:before:swap', (event) => {
    const id = /id="(x-\w+)"/.exec(event.detail.ctx.text)?.[1]
    if (id && document.getElementById(id)) event.preventDefault()
  })
  document.addEventListener('click', ({ target }) => {
    const example = target.closest('[data-example]')
    if (!example) return
    text.value = example.textContent
    composer.requestSubmit()
  })
}

// Sources, why, stop ----------------------------------------------------------------------------------------------

document.addEventListener('click', (event) => {
  const { target } = event
  const cite = target.closest('a.cite')
  const passage = cite && document.getElementById(cite.hash.slice(1))
  if (cite) event.preventDefault()
  if (passage) {
    for (const other of document.querySelectorAll('.source.lit')) other.classList.remove('lit')
    passage.open = true
    passage.classList.add('lit')
    passage.scrollIntoView({ block: 'nearest', behavior: 'smooth' })
    one('summary', passage).focus({ preventScroll: true })
  }
  const why = target.closest('[data-why]')
  const panel = why && document.getElementById(why.getAttribute('aria-controls'))
  if (panel?.childElementCount) {
    event.preventDefault()
    event.stopPropagation()
    panel.replaceChildren()
    why.setAttribute('aria-expanded', 'false')
  } else why?.setAttribute('aria-expanded', 'true')
}, true)
// `toggle` doesn't bubble.
document.addEventListener('toggle', ({ target }) => {
  if (target.matches('.better[open]')) target.scrollIntoView({ block: 'nearest', behavior: 'smooth' })
}, true)
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || one(':popover-open')) return
  one('[data-stop]')?.requestSubmit()
})

// Scrolling -------------------------------------------------------------------------------------------------------

let stuck = true
function stick() {
  if (stuck && messages) messages.scrollTop = messages.scrollHeight
}
if (messages) {
  stick()
  messages.addEventListener('scroll', () => {
    stuck = messages.scrollHeight - messages.scrollTop - messages.clientHeight < 80
  }, { passive: true })
  document.addEventListener('htmx:after:swap', stick)
}

// The stream ------------------------------------------------------------------------------------------------------

/** Every event holds a whole state, so one that comes twice changes nothing. */
// Not `open`: that is EventSource's own.
const handlers = {
  begin({ key, reply, slot, exchange }) {
    if (document.getElementById(reply)) return
    place(key, slot, exchange)
  },
  body({ reply, html, status }) {
    const article = document.getElementById(reply)
    if (!article) return
    one('.body', article).innerHTML = html
    one('.status', article).textContent = status
  },
  final({ key, slot, exchange, aloud, reply, done }) {
    // Shown already: placing it again would close a form that is open under it.
    if (done && document.getElementById(done)) return
    const focused = document.getElementById(reply)?.contains(document.activeElement)
    place(key, slot, exchange)
    if (focused) one('textarea', composer).focus()
    say(aloud)
    htmx.trigger(document.body, 'threads')
  },
  notice({ id, html }) {
    if (!document.getElementById(id)) messages.insertAdjacentHTML('beforeend', html)
  },
  refresh() {
    refresh()
  },
}

let saidTimer
/** For screen readers; emptied again, so that nobody who reads on finds the reply twice. */
function say(text) {
  const line = one('#said-aloud')
  line.textContent = text
  clearTimeout(saidTimer)
  saidTimer = setTimeout(() => { line.textContent = '' }, 10_000)
}

function place(key, slot, exchange) {
  const known = document.getElementById(`slot-${key}`)
  if (known) known.innerHTML = slot
  else if (exchange) {
    one('.empty')?.remove()
    messages.insertAdjacentHTML('beforeend', exchange)
  } else return refresh()
  htmx.process(document.getElementById(`slot-${key}`))
}

async function refresh() {
  const answer = await fetch(messages.dataset.messages)
  if (!answer.ok) return
  messages.innerHTML = await answer.text()
  htmx.process(messages)
  stick()
}

if (messages) {
  document.body.addEventListener('hone:refresh', refresh)
  const cursor = one('[data-cursor]', messages).dataset.cursor
  const stream = new EventSource(`${messages.dataset.events}?after=${encodeURIComponent(cursor)}`)
  for (const [name, handle] of Object.entries(handlers)) {
    stream.addEventListener(name, (event) => {
      handle(JSON.parse(event.data))
      stick()
    })
  }
  addEventListener('pagehide', () => stream.close())
  addEventListener('pageshow', (event) => { if (event.persisted) location.reload() })
}
