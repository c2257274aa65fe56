const joiner = '\u2060'
const token =
  /(?<code>^ {0,3}```[^`\n]*(?:\n[\s\S]*?(?:```|$(?![\s\S]))|$(?![\s\S]))|(?<![\\`])`[^`\n]+`(?!`))|(?<call><[!@#]|@(?:channel|here|everyone)\b)|\[(?<label>(?:[^\]\n`]|`[^`\n]*`)*)\]\((?<link>[^)\s]+)\)|(?<bare>https?:\/\/[^\s<>)\]`]+)/gim

/**
 * Reply text that can neither ring anybody nor leak through a link preview: mentions lose their power, and addresses
 * that are not one of the sources' become code, which Slack does not fetch. The longer text of a reply that grows
 * begins with the shorter one, as long as it was cut with `settled`.
 *
 * @example safeText('@channel see https://evil.example') // '@⁠channel see `https://evil.example`'
 */
export function safeText(markdown: string, hosts: ReadonlySet<string> = new Set()): string {
  return markdown.replace(token, (whole, ...rest) => {
    const { code, call, label, link, bare } = rest.at(-1) as Record<string, string | undefined>
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

export function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : ''
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

/** What notifications and screen readers get: nothing in it can ring or link. */
export function summary(text: string): string {
  return short(escaped(text), 300) || '…'
}

/** Markdown as Slack's older markup, for places where nothing better is taken. */
export function mrkdwn(markdown: string): string {
  return escaped(markdown)
    .replace(/^#{1,6}\s+(.*)$/gm, '*$1*')
    .replace(/^(\s*)[-*]\s+/gm, '$1• ')
    .replace(/\*\*([^*\n]+)\*\*/g, '*$1*')
    .replace(/\[([^\]\n]*)\]\((https?:[^)\s|]+)\)/g, '<$2|$1>')
}

/** Cut to what a field may hold. */
export function short(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}
