import { raw } from 'hono/html'

const icon = (paths: string, name = '') =>
  raw(`<svg class="icon ${name}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${paths}</svg>`)

const thumb =
  '<path d="M7 10.5v9H4.6a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1zm0 0 3.6-6.7c1.5 0 2.5 1.2 2.2 2.7l-.7 3.2h5.7a2 2 0 0 1 2 2.3l-.9 5.6a2.2 2.2 0 0 1-2.2 1.9H7"/>'

/** Line icons, drawn for Hone; coloured by the text around them. */
export const icons = {
  up: icon(thumb),
  down: icon(thumb, 'flip'),
  send: icon('<path d="M12 19V5.5M6 11l6-6 6 6"/>'),
  stop: icon('<rect x="7" y="7" width="10" height="10" rx="2" fill="currentColor"/>'),
  again: icon('<path d="M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 4v4h-4"/>'),
  pen: icon('<path d="m5 19 .8-3.6L16.2 5a1.6 1.6 0 0 1 2.3 0l.5.5a1.6 1.6 0 0 1 0 2.3L8.6 18.2z"/>'),
  why: icon('<circle cx="12" cy="12" r="8"/><path d="M9.8 9.6a2.3 2.3 0 1 1 3.3 2.1c-.7.4-1.1.8-1.1 1.6M12 16.4v.1"/>'),
  menu: icon('<path d="M4.5 7h15M4.5 12h15M4.5 17h15"/>'),
  plus: icon('<path d="M12 5.5v13M5.5 12h13"/>'),
  left: icon('<path d="m14 7-5 5 5 5"/>'),
  right: icon('<path d="m10 7 5 5-5 5"/>'),
  mark: raw(
    '<svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false"><path class="stone" d="M5 22.5 24.5 16l3 5.2L8 27.7z"/><path class="blade" d="M4 17.6 22.7 4.4c2.7 3 3.1 6.8 1 9.3z"/></svg>',
  ),
} as const
