const code = /^ {0,3}```[^`\n]*(?:\n[\s\S]*?(?:```|$(?![\s\S]))|$(?![\s\S]))|(?<![\\`])`[^`\n]+`(?!`)/
const link = /\[(?<label>(?:[^\]\n`]|`[^`\n]*`)*)\]\((?<link>[^)\n]*)\)/
const bare = /(?<bare>(?:\b[a-z][a-z0-9+.-]*:\/\/|\bwww\.)[^\s<>)\]`]+)/
/** What is no code here, but could begin or end some in another reader's eyes, and so bring a link out of its code. */
const stray = /(?<stray>`+|^ {0,3}~{3,})/
const token = new RegExp([`(?<code>${code.source})`, link.source, bare.source, stray.source].join('|'), 'gim')

/** Reads as a backtick and is none. */
const lookalike = 'ˋ'

/**
 * Markdown in which only links to the given hosts can be followed; every other address is shown as code. The model may
 * have been talked into a link by a document, and who follows it tells its owner what was said.
 *
 * The longer text of a growing reply begins with the shorter one, as long as it is cut between words and outside of open
 * links and code.
 *
 * @example onlyLinksTo(new Set(), 'See https://evil.example') // 'See `https://evil.example`'
 */
export function onlyLinksTo(hosts: ReadonlySet<string>, markdown: string): string {
  return markdown.replace(token, (whole, ...rest) => {
    const { code, label, link, bare, stray } = rest.at(-1) as Record<string, string | undefined>
    if (code) return whole.startsWith(' ') ? withoutOutdented(whole, hosts) : whole
    if (stray) return stray.replaceAll('`', lookalike).replaceAll('~', '\\~')
    const address = (link ?? bare ?? '').trim()
    const trusted = hosts.has(hostOf(address))
    if (bare) return trusted ? whole : `\`${bare}\``
    const shown = onlyLinksTo(hosts, label ?? '')
    return trusted ? `[${shown}](${address})` : `${shown} (\`${address.replaceAll('`', '')}\`)`
  })
}

/** Code that is indented may belong to a list, which ends, and the code with it, where a line is not. */
function withoutOutdented(code: string, hosts: ReadonlySet<string>): string {
  return code.replace(/^(?!```)\S.*$/gm, (line) => onlyLinksTo(hosts, line))
}

/** The hosts of addresses, e.g. of the sources of a reply. */
export function hostsOf(addresses: readonly { readonly url?: string }[]): ReadonlySet<string> {
  return new Set(addresses.flatMap(({ url }) => hostOf(url ?? '') || []))
}

/** Empty for what is no address of the web. */
export function hostOf(address: string): string {
  const url = URL.parse(address)
  return url && /^https?:$/.test(url.protocol) ? url.host : ''
}

/**
 * Changes all of a text that is not code.
 *
 * @example outsideCode('`<b>` <b>', (text) => text.replaceAll('<', '&lt;')) // '`<b>` &lt;b>'
 */
export function outsideCode(markdown: string, change: (text: string) => string): string {
  const parts: string[] = []
  let from = 0
  for (const { 0: found, index } of markdown.matchAll(new RegExp(code, 'gim'))) {
    parts.push(change(markdown.slice(from, index)), found)
    from = index + found.length
  }
  return [...parts, change(markdown.slice(from))].join('')
}
