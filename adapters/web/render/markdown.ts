import MarkdownIt from 'markdown-it'
import type { Source } from '../../../src/ports/channel.ts'

interface Environment {
  /** Prefix of the ids of the passages, e.g. `src-t_1-`. */
  readonly anchor: string
  readonly sources: readonly Source[]
}

const md = new MarkdownIt({ html: false, linkify: true, breaks: true })
md.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false })
// An image would be fetched without being asked, and tell its server that the reply was read.
md.disable('image')
md.validateLink = (url) => /^(https?:\/\/|mailto:)/i.test(url.trim())

md.renderer.rules.link_open = (tokens, index, options, _env, self) => {
  tokens[index]?.attrSet('rel', 'noreferrer noopener nofollow')
  tokens[index]?.attrSet('target', '_blank')
  return self.renderToken(tokens, index, options)
}

// `[2]` becomes a chip, but only where the reply really has a second source.
md.inline.ruler.before('link', 'cite', (state, silent) => {
  const match = /^\[(\d{1,2})\](?![([])/.exec(state.src.slice(state.pos, state.pos + 5))
  const source = (state.env as Environment).sources.find((one) => one.number === Number(match?.[1]))
  if (!match || !source) return false
  if (!silent) state.push('cite', '', 0).meta = source
  state.pos += match[0].length
  return true
})
md.renderer.rules.cite = (tokens, index, _options, env: Environment) => {
  const { number, title } = (tokens[index] as { readonly meta: unknown }).meta as Source
  const name = md.utils.escapeHtml(title)
  return `<a class="cite" href="#${md.utils.escapeHtml(env.anchor)}${number}" title="${name}" aria-label="Source ${number}: ${name}">${number}</a>`
}
md.renderer.rules.table_open = () => '<div class="scroll" tabindex="0"><table>'
md.renderer.rules.table_close = () => '</table></div>'

/**
 * Markdown as safe HTML: no raw HTML, no images, links only to the web and to mail, `[1]` as a chip that leads to its
 * passage.
 *
 * @example markdown('20 days [1].', 'src-t1-', sources)
 */
export function markdown(text: string, anchor = '', sources: readonly Source[] = []): string {
  return md.render(text, { anchor, sources } satisfies Environment)
}
