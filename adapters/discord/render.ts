import { type APIEmbed, MessageFlags, type RESTPostAPIChannelMessageJSONBody } from 'discord.js'
import { counted } from '../../src/counted.ts'
import type { Why } from '../../src/ports/bot.ts'
import type { Reply, ReplyEvent, Source } from '../../src/ports/channel.ts'
import type { DuelOutcome } from '../../src/ports/store.ts'
import { hostsOf, onlyLinksTo } from '../shared/links.ts'
import { checkMark, checkText, endings, type RunView } from '../shared/run.ts'
import { healed, splitText } from '../shared/split.ts'
import { duelButtons, feedbackButtons, type Row, stopButton } from './controls.ts'

export const longestMessage = 2000
const longestQuote = 300

/** One message of a reply. Nothing in it pings anybody, and no link in it is fetched for a preview. */
export type Body = Pick<RESTPostAPIChannelMessageJSONBody, 'content' | 'flags' | 'allowed_mentions'> & {
  readonly components: Row[]
}

/** What is known of a reply so far. */
export interface Draft {
  readonly event: string
  readonly text: string
  /** What the reply is made from; only to these may it link. */
  readonly sources: readonly Source[]
  readonly end?: Extract<ReplyEvent, { kind: 'done' | 'duel' | 'error' }>
}

/** The draft after one more event. */
export function draftAfter(draft: Draft, event: ReplyEvent): Draft {
  switch (event.kind) {
    case 'status':
      return draft
    case 'source':
      return { ...draft, sources: [...draft.sources, event.source] }
    case 'delta':
      return { ...draft, text: draft.text + event.text }
    default:
      return { ...draft, end: event }
  }
}

/** The messages that a draft is shown as; none before there is a text. Buttons stand under the last. */
export function renderDraft({ event, text, sources, end }: Draft): readonly Body[] {
  switch (end?.kind) {
    case undefined:
      return messages(readable({ text, sources }), stopButton(event))
    case 'done':
      return messages(withSources(end.reply), feedbackButtons(end.reply.turn))
    case 'duel': {
      const sides = `### A\n${readable(end.left)}\n\n### B\n${readable(end.right)}`
      const lines = sourceLines(end.left.sources)
      return messages(lines ? `${sides}\n\n${lines}` : sides, duelButtons(end.duel))
    }
    case 'error': {
      const said = text.trim() ? `${readable({ text, sources })}\n\n` : ''
      return messages(`${said}⚠️ ${end.message}`)
    }
  }
}

/** A text as messages, with buttons under the last. */
export function messages(text: string, buttons?: Row): readonly Body[] {
  const parts = splitText(text, longestMessage)
  return parts.map((content, index) => ({
    content,
    flags: MessageFlags.SuppressEmbeds,
    allowed_mentions: { parse: [], replied_user: false },
    components: buttons && index === parts.length - 1 ? [buttons] : [],
  }))
}

/** A text that shows no half format, and whose links lead to the sources alone. */
function readable({ text, sources }: Pick<Reply, 'text' | 'sources'>): string {
  return onlyLinksTo(hostsOf(sources), healed(text))
}

function withSources(reply: Reply): string {
  const why = reply.explanation ? [spoiler({ text: reply.explanation, sources: reply.sources })] : []
  return [readable(reply), ...why, sourceLines(reply.sources)].filter(Boolean).join('\n\n')
}

const longestSpoiler = 1500

/** Reasons that show when they are pressed. Their marks open and close within a paragraph, and none may be among them. */
function spoiler(reasons: Pick<Reply, 'text' | 'sources'>): string {
  const paragraphs = readable(reasons)
    .replaceAll('|', '¦')
    .split(/\n{2,}/)
  const parts = paragraphs.flatMap((paragraph) => splitText(paragraph, longestSpoiler))
  return `-# Why? Press to read.\n${parts.map((part) => `||${part}||`).join('\n\n')}`
}

function sourceLines(sources: readonly Source[]): string {
  return sources.map((source) => `-# [${source.number}] ${titleOf(source)} · ${plain(source.document)}`).join('\n')
}

function titleOf({ title, url }: Source): string {
  const safe = url && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
  return safe ? `[${plain(title)}](<${new URL(url).href}>)` : plain(title)
}

/** Words of a document on one line, without a format of their own. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\*_~`|<>[\]()]/g, '\\$&')
}

/** Why a reply says what it says. */
export function whyText({ turn, votes, pairs }: Why): string {
  const people = new Set(pairs.flatMap((pair) => pair.people)).size
  const count = (verdict: string) => votes.filter((vote) => vote.verdict === verdict).length
  const quotes = turn.sources.map(
    (source) => `**[${source.number}] ${plain(source.title)}**\n> ${plain(source.text).slice(0, longestQuote)}`,
  )
  return [
    `Version **${turn.version}**, profile ${plain(turn.profile)}.`,
    pairs.length > 0
      ? `The version learned from ${counted(pairs.length, 'pair')} by ${counted(people, 'person', 'people')}.`
      : 'The version was not trained on votes.',
    `Votes on this reply: ${count('up')} up, ${count('down')} down.`,
    ...(turn.explanation && turn.explanation.show !== 'hidden'
      ? ['', readable({ ...turn, text: turn.explanation.text })]
      : []),
    ...(quotes.length > 0 ? ['', 'It was given these passages:', ...quotes] : ['It was given no passages.']),
  ].join('\n')
}

/** What a duel came to, now that the versions may be known. */
export function outcomeText(outcome: DuelOutcome, left: string, right: string): string {
  const said = { left: 'You chose A', right: 'You chose B', tie: 'A tie', 'both-bad': 'Neither was good' }[outcome]
  return `${said}. A was ${left}, B was ${right}.`
}

const colours = {
  promoted: 0x2e9e5b,
  canary: 0x2e9e5b,
  held: 0xc9a227,
  refused: 0xc9a227,
  compared: 0x3b82f6,
  kept: 0x2e9e5b,
  failed: 0xc0392b,
  cancelled: 0x7f8c8d,
} as const
const running = 0x3b82f6

/** A training run as it stands; `plot` names the attached picture. */
export function runEmbed(view: RunView, plot?: string): APIEmbed {
  const { step, steps, loss, spark, etaSeconds, ended, gate, phase } = view
  const share = steps > 0 ? step / steps : 0
  const bar = steps > 0 ? `\`${'█'.repeat(Math.round(share * 20)).padEnd(20, '░')}\` ${step}/${steps}` : ''
  const left = etaSeconds === undefined || ended ? '' : `, ${Math.ceil(etaSeconds)} s left`
  // Discord takes 25 fields at most: what failed comes first.
  const worst = (gate?.checks ?? []).toSorted((a, b) => Number(a.pass) - Number(b.pass)).slice(0, 24)
  const checks = worst.map((check) => ({
    name: `${{ '✔': '✅', '✖': '❌', '?': '⚠️' }[checkMark(check)]} ${check.what}`.slice(0, 256),
    value: checkText(check).slice(check.what.length + 2),
    inline: true,
  }))
  return {
    title: ended ? `Training: ${ended}` : 'Training',
    description: [ended ? endings[ended] : phase, bar ? `${bar}${left}` : '', spark && !plot ? `\`${spark}\`` : '']
      .filter(Boolean)
      .join('\n')
      .slice(0, 4096),
    color: ended ? colours[ended] : running,
    fields: checks,
    ...(loss === undefined ? {} : { footer: { text: `loss ${loss.toFixed(3)}` } }),
    ...(plot ? { image: { url: `attachment://${plot}` } } : {}),
  }
}
