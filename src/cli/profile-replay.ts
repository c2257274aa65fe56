import { HoneError } from '../errors.ts'
import type { Replay, ReplayedTurn, ReplayOptions, ReplaySummary } from '../ports/replay.ts'
import type { Desk } from './desk.ts'
import type { Output } from './output.ts'
import { profileAt } from './profile.ts'

/** The flags of `hone profile replay`, as they were typed. */
export interface ReplayFlags {
  readonly threads?: string | undefined
  readonly turns?: string | undefined
  readonly minutes?: string | undefined
  /** `7d`, `12h`, or a date. */
  readonly since?: string | undefined
  readonly tenant?: string | undefined
  /** Threads with votes first. */
  readonly voted?: boolean | undefined
}

/**
 * `hone profile replay FILE|VERSION`: past threads answered again by a candidate, with what is otherwise; Ctrl-C ends it
 * and shows how far it came.
 */
export async function replayProfile(
  what: string | undefined,
  flags: ReplayFlags,
  desk: Desk,
  output: Output,
): Promise<void> {
  if (!what) throw new HoneError('INPUT', 'Replay with which profile? Give a version or a file.')
  const { source } = await profileAt(what, desk)
  process.once('SIGINT', () => void desk.cancelReplay().catch((error: unknown) => output.say(String(error))))
  let done = 0
  for await (const turn of desk.replay({ profile: source, ...optionsOf(flags) })) output.say(turnText(turn, ++done))
  const replay = await desk.lastReplay()
  if (!replay) throw new HoneError('CANCELLED', 'The replay was dropped: somebody was forgotten meanwhile.')
  output.result(`${replayText(replay)}\nhone profile promote ${what}`, replay)
  if (replay.state !== 'done') process.exitCode = 1
}

/** @throws HoneError INPUT naming the flag. */
export function optionsOf(
  { since, tenant, voted, ...numbers }: ReplayFlags,
  now = Date.now(),
): Omit<ReplayOptions, 'profile'> {
  const given = Object.entries(numbers).flatMap(([name, value]) => {
    if (value === undefined) return []
    if (!/^\d+$/.test(value)) throw new HoneError('INPUT', `--${name} must be a whole number.`)
    return [[name, Number(value)] as const]
  })
  return {
    ...Object.fromEntries(given),
    ...(tenant === undefined ? {} : { tenant }),
    ...(since === undefined ? {} : { since: sinceText(since, now) }),
    ...(voted ? { first: 'voted' as const } : {}),
  }
}

/** A moment so many days or hours ago, or the date as it was given. */
function sinceText(since: string, now: number): string {
  const ago = /^(\d+)([dh])$/.exec(since)
  const hours = ago && Number(ago[1]) * (ago[2] === 'd' ? 24 : 1)
  return hours === null ? since : new Date(now - hours * 3_600_000).toISOString()
}

/** One message, and where they differ both replies. */
function turnText({ question, old, fresh, why, changes }: ReplayedTurn, nth: number): string {
  const asked = `${nth}. ${oneLine(question)}`
  if (!fresh) return `✖ ${asked}\n    no reply: ${why}`
  if (changes.length === 0) return `= ${asked}`
  return `≠ ${asked} (${changes.join(', ')})\n    then: ${oneLine(old.text)}\n    now:  ${oneLine(fresh.text)}`
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** What came of a replay in a few lines. */
export function replayText({ profile, threads, planned, summary, note }: Replay): string {
  const { answered, unanswered, changed } = summary
  return [
    `Profile ${profile}: ${answered} of ${planned} messages of ${threads} threads answered, ${changed} otherwise than then.`,
    ...(unanswered > 0 ? [`It could not answer ${unanswered}.`] : []),
    ...summaryLines(summary),
    ...(note ? [note] : []),
  ].join('\n')
}

function summaryLines({
  answered,
  words,
  cites,
  declines,
  liked,
  disliked,
  seconds,
}: ReplaySummary): readonly string[] {
  if (answered === 0) return []
  const mean = words.map((sum) => Math.round(sum / answered))
  return [
    `Words a reply: ${mean[0]} then, ${mean[1]} now. With a source: ${cites[0]} then, ${cites[1]} now.`,
    `Says that it doesn't know: ${declines[0]} then, ${declines[1]} now. ${seconds.toFixed(1)} s a reply.`,
    `Of ${disliked[0]} replies that people disliked or corrected, ${disliked[1]} are otherwise; of ${liked[0]} that they liked, ${liked[1]}.`,
  ]
}
