import { hostOf } from '../../shared/links.ts'

const joiner = '\u2060'
/** Reads as a backtick and opens no code: one without its pair would pair with those that disarm an address. */
const lookalike = '\u02cb'
const token =
  /(?<code>^ {0,3}```[^`\n]*(?:\n[\s\S]*?(?:```|$(?![\s\S]))|$(?![\s\S]))|(?<![\\`])`[^`\n]+`(?!`))|(?<call><[!@#]|@(?:channel|here|everyone)\b)|\[(?<label>(?:[^\]\n`]|`[^`\n]*`)*)\]\((?<link>[^)\s]+)\)|(?<bare>(?:https?:\/\/|www\.|(?<![a-z\d.-])(?:[a-z\d-]+\.)+[a-z]{2,}\/)[^\s<>)\]`]+)|(?<ticks>`+)/gim

/**
 * Reply text that can neither ring anybody nor leak through a link preview: mentions lose their power, and addresses
 * that are not one of the sources' become code, which Slack neither links nor fetches. The longer text of a reply that
 * grows begins with the shorter one, as long as it was cut with `settled`.
 *
 * @example safeText('@channel see https://evil.example') // '@⁠channel see `https://evil.example`'
 */
export function safeText(markdown: string, hosts: ReadonlySet<string> = new Set()): string {
  return markdown.replace(token, (whole, ...rest) => {
    const { code, call, label, link, bare, ticks } = rest.at(-1) as Record<string, string | undefined>
    if (ticks) return lookalike.repeat(ticks.length)
    if (code) return code.replace(/<(?=[!@#])/g, `<${joiner}`)
    if (call) return `${call[0]}${joiner}${call.slice(1)}`
    const address = link ?? bare ?? ''
    const trusted = hosts.has(hostOf(address))
    if (bare) return trusted ? whole : `\`${bare}\``
    const shown = safeText(label ?? '', hosts)
    return trusted
      ? `[${shown}](${address.replace(/<(?=[!@#])/g, '%3C')})`
      : `${shown} (\`${address.replaceAll('`', '')}\`)`
  })
}

/**
 * How much of a text that still grows can be shown without being taken back: whole words, and no half link, half
 * code span or half mention.
 */
export function settled(text: string): number {
  const word = /\S+$/.exec(text)?.index ?? text.length
  const line = text.lastIndexOf('\n') + 1
  const rest = text.slice(line)
  const fences = text.match(/```/g)?.length ?? 0
  if (fences % 2 === 1) return word
  const ticks = rest.replaceAll('```', '').split('`').length - 1
  const code = ticks % 2 === 1 ? line + rest.lastIndexOf('`') : text.length
  const bracket = /\[[^\]\n]*(?:\](?:\([^)\s]*)?)?$/.exec(rest)
  return Math.min(word, code, bracket ? line + bracket.index : text.length)
}

/** Text for Slack's older markup, where three characters have a meaning. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const longestAddress = 1000

/**
 * An address as it stands in a link of Slack's older markup; undefined for what is no web page, or endless.
 *
 * @example linkAddress('https://a.example/?x=1&y=<b>|c') // 'https://a.example/?x=1&amp;y=%3Cb%3E%7Cc'
 */
export function linkAddress(url: string): string | undefined {
  if (!/^https?:/i.test(url) || !URL.canParse(url)) return undefined
  const whole = escaped(new URL(url).href.replace(/[<>|]/g, (sign) => encodeURIComponent(sign)))
  return whole.length <= longestAddress ? whole : undefined
}

/** What notifications and screen readers get: nothing in it can ring or link. */
export function summary(text: string): string {
  return short(escaped(text), 300) || '…'
}

const block = /(```[\s\S]*?(?:```|$(?![\s\S])))/
const code = /(```[\s\S]*?(?:```|$(?![\s\S]))|`[^`\n]+`)/
/** Lines of a table, which the older markup doesn't know: as code they stand in columns. */
const table = /(?:^\|.*\|[ \t]*(?:\n|$(?![\s\S]))){2,}/gm

/**
 * Markdown as Slack's older markup, for places where nothing better is taken.
 *
 * @example mrkdwn('**Leave**: see *below*') // '*Leave*: see _below_'
 */
export function mrkdwn(markdown: string): string {
  const columns = (rows: string) => `\`\`\`\n${rows.trimEnd()}\n\`\`\`\n`
  return markdown
    .split(block)
    .map((part, nth) => (nth % 2 === 1 ? part : part.replace(table, columns)))
    .join('')
    .split(code)
    .map((part, nth) => (nth % 2 === 1 ? escaped(part).replace(/^```\w+\n/, '```\n') : prose(escaped(part))))
    .join('')
}

function prose(text: string): string {
  return text
    .replace(/^(\s*)[-*]\s+/gm, '$1• ')
    .replace(/\*\*([^*\n]+)\*\*|(?<![*\w])\*([^*\s][^*\n]*)\*(?![*\w])/g, (_, bold?: string, slanted?: string) =>
      bold ? `*${bold}*` : `_${slanted}_`,
    )
    .replace(/~~([^~\n]+)~~/g, '~$1~')
    .replace(/^#{1,6}\s+(.*)$/gm, (_, title: string) => `*${title.replaceAll('*', '')}*`)
    .replace(/\[([^\]\n]*)\]\((https?:[^)\s|]+)\)/g, '<$2|$1>')
}

/** Cut to what a field may hold. */
export function short(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}
