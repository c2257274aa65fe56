/**
 * What a person wrote, from Slack's markup: links, mentions and entities as they read on the screen.
 *
 * @example plainText('<@UBOT> see <https://a.example|the page> &amp; tell', 'UBOT') // 'see the page (https://a.example) & tell'
 */
export function plainText(text: string, self = ''): string {
  return text
    .replace(/<([@#!]?)([^<>|]+)(?:\|([^<>]*))?>/g, (_, sign: string, target: string, label?: string) => {
      if (sign === '@') return target === self ? '' : `@${label || target}`
      if (sign === '#') return `#${label || target}`
      if (sign === '!') return label || `@${target.split('^')[0]}`
      const address = target.replace(/^mailto:/, '')
      return !label || label === address ? address : `${label} (${address})`
    })
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .trim()
}

/** Whether the text calls this user by name. */
export function mentions(text: string, user: string): boolean {
  return user !== '' && new RegExp(`<@${user}(?:\\|[^>]*)?>`).test(text)
}

/** Whether the text begins by calling someone else: then it is not for the bot. */
export function forSomeoneElse(text: string, self: string): boolean {
  const [, user] = /^\s*<@([A-Z0-9]+)/.exec(text) ?? []
  return user !== undefined && user !== self
}
