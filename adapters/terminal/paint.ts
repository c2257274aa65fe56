import type { Writable } from 'node:stream'
import { styleText } from 'node:util'
import type { Paint } from './render.ts'

/** Colours for this output; Node itself leaves them out for NO_COLOR and for what is no terminal. */
export function painter(output: Writable): Paint {
  return (style, text) => styleText(style, text, { stream: output })
}
