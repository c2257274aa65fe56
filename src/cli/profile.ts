import { HoneError } from '../errors.ts'
import { changeText, infoText } from '../profile-commands.ts'
import { changeBetween } from '../profiles.ts'
import { type Profile, parseProfile, readProfile } from '../prompt/profile.ts'
import type { Desk } from './desk.ts'
import type { Output } from './output.ts'

type Action = (args: readonly string[], desk: Desk, output: Output) => Promise<void>
const actions: Readonly<Record<string, Action>> = { list, show, diff, promote, rollback }

/** `hone profile list|show|diff|promote|rollback`. What follows is a version, the beginning of one, or a file. */
export async function profile(words: readonly string[], desk: Desk, output: Output): Promise<void> {
  const [action = '', ...args] = words
  const run = Object.hasOwn(actions, action) ? actions[action] : undefined
  if (run) return run(args, desk, output)
  throw new HoneError(
    'INPUT',
    `\`hone profile ${action}\` is not known: list, show [V|FILE], diff [A] [B], test CASES, replay V|FILE, promote V|FILE, rollback.`,
  )
}

async function list(_: readonly string[], desk: Desk, output: Output): Promise<void> {
  const all = await desk.profiles()
  output.result(all.map(infoText).join('\n'), all)
}

async function show([what]: readonly string[], desk: Desk, output: Output): Promise<void> {
  const found = await profileAt(what, desk)
  output.result(found.source.trimEnd(), found)
}

/** From what serves to A; with both, from A to B. */
async function diff([a, b]: readonly string[], desk: Desk, output: Output): Promise<void> {
  if (!a) throw new HoneError('INPUT', 'Compare with what? Give a version or a file.')
  const change = b ? changeBetween(await profileAt(a, desk), await profileAt(b, desk)) : await fromServing(a, desk)
  output.result([changeText(change), ...change.lines].join('\n'), change)
}

async function promote([what]: readonly string[], desk: Desk, output: Output): Promise<void> {
  if (!what) throw new HoneError('INPUT', 'Promote what? Give a version or a file.')
  const change = await fromServing(what, desk)
  output.say([changeText(change), ...change.lines].join('\n'))
  const version = isVersion(what) ? change.to : await desk.keepProfile((await profileAt(what, desk)).source)
  await desk.promoteProfile(version)
  output.result(`Profile ${version} shapes replies from the next one on.`, change)
}

async function rollback(_: readonly string[], desk: Desk, output: Output): Promise<void> {
  const serving = await desk.rollbackProfile()
  output.result(`Profile ${serving} shapes replies from the next one on.`, { serving })
}

async function fromServing(what: string, desk: Desk) {
  return changeBetween(await profileAt(undefined, desk), await profileAt(what, desk))
}

/** A profile by version, by the beginning of one, or by file; without either, the one that serves. */
export async function profileAt(what: string | undefined, desk: Desk): Promise<Profile> {
  if (what !== undefined && !isVersion(what)) return readProfile(what)
  return parseProfile(await desk.profile(what ?? null), what ?? 'the profile that serves')
}

/** True for what can only be a version, or the beginning of one, and no file. */
export function isVersion(what: string): boolean {
  return /^[0-9a-f]{1,12}$/.test(what)
}
