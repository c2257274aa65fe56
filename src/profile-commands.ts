import type { CommandReply } from './ports/bot.ts'
import { changeBetween, type ProfileChange, type ProfileInfo, type ProfileShelf } from './profiles.ts'
import type { Profile } from './prompt/profile.ts'

const longestShown = 3000
type Action = (shelf: ProfileShelf, given: Given) => Promise<CommandReply>

interface Given {
  readonly version: string | undefined
  readonly sure: boolean
  readonly by: string
}

const actions: Readonly<Record<string, Action>> = { list, show, diff, promote, rollback }

/**
 * `profile ACTION [PROFILE] [confirm]` in a chat. What changes replies shows the change first and wants `confirm`.
 *
 * @example await profileCommand(['promote', '3f2a', 'confirm'], 'web:anna', shelf)
 */
export async function profileCommand(words: readonly string[], by: string, shelf: ProfileShelf): Promise<CommandReply> {
  const [name = 'list', ...rest] = words
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  const version = rest.find((word) => word !== 'confirm')
  if (action) return action(shelf, { version, sure: rest.includes('confirm'), by })
  return {
    ok: false,
    text: `\`profile\` knows ${Object.keys(actions).join(', ')}; \`hone profile test\` runs beside it.`,
  }
}

async function list(shelf: ProfileShelf): Promise<CommandReply> {
  const all = await shelf.list()
  return { ok: true, text: all.map((one) => `- ${infoText(one)}`).join('\n'), data: all }
}

async function show(shelf: ProfileShelf, { version }: Given): Promise<CommandReply> {
  const { source, ...profile } = version ? await shelf.find(version) : shelf.serving
  return {
    ok: true,
    text: `Profile ${profile.name}, version **${profile.version}**:\n${fenced(source)}`,
    data: { source, ...profile },
  }
}

async function diff(shelf: ProfileShelf, { version }: Given): Promise<CommandReply> {
  const to = version ? await shelf.find(version) : await shelf.before()
  const change = changeBetween(shelf.serving, to)
  return { ok: true, text: changed(change), data: change }
}

async function promote(shelf: ProfileShelf, { version, sure, by }: Given): Promise<CommandReply> {
  if (!version) return { ok: false, text: 'Which version? `profile list` shows them.' }
  return switchTo(shelf, await shelf.find(version), { sure, say: `profile promote ${version}` }, () =>
    shelf.promote(version, by),
  )
}

async function rollback(shelf: ProfileShelf, { sure, by }: Given): Promise<CommandReply> {
  return switchTo(shelf, await shelf.before(), { sure, say: 'profile rollback' }, () => shelf.rollback(by))
}

async function switchTo(
  shelf: ProfileShelf,
  to: Profile,
  { sure, say }: { readonly sure: boolean; readonly say: string },
  go: () => Promise<Profile>,
): Promise<CommandReply> {
  const change = changeBetween(shelf.serving, to)
  if (!sure) return { ok: false, text: `${changed(change)}\nSay \`${say} confirm\` to do it.`, data: change }
  const { version } = await go()
  return { ok: true, text: `Profile **${version}** shapes replies from the next one on.`, data: change }
}

/** One line of a list of versions. */
export function infoText({ version, createdAt, serving, made }: ProfileInfo): string {
  const from = made ? ` · by ${made.by}${made.verdict === 'hold' ? ', held for an admin' : ''}` : ''
  return `${version} · ${createdAt.toISOString().slice(0, 16).replace('T', ' ')}${from}${serving ? ' · serves' : ''}`
}

/** What a change means for threads that are going on. */
export function changeText({ from, to, opensAnew, lines }: ProfileChange): string {
  if (lines.length === 0) return `${from} and ${to} are the same.`
  const threads = opensAnew
    ? 'Threads that are going on begin their prompt anew.'
    : 'Threads that are going on keep their prompt.'
  return `${from} → ${to}. ${threads}`
}

function changed(change: ProfileChange): string {
  return `${changeText(change)}\n${change.lines.length > 0 ? fenced(change.lines.join('\n')) : ''}`.trim()
}

function fenced(text: string): string {
  const shown =
    text.length > longestShown ? `${text.slice(0, longestShown)}\n… (\`hone profile show\` has the rest)` : text
  return `\`\`\`\n${shown.replaceAll('```', "'''").trimEnd()}\n\`\`\``
}
