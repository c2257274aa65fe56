import type { types } from '@slack/bolt'
import { counted } from '../../../src/counted.ts'
import type { VersionInfo } from '../../../src/ports/learning.ts'
import type { Job, VoteCount } from '../../../src/ports/store.ts'
import { asItIs, type Block } from './reply.ts'
import { escaped, short } from './text.ts'

export interface HomeView {
  readonly mine: { readonly up: number; readonly down: number; readonly corrections: number }
  /** What is kept and trained on, as Markdown. */
  readonly privacy: string
  readonly command: string
  readonly admin?: {
    readonly counts: readonly VoteCount[]
    readonly versions: readonly VersionInfo[]
    readonly job?: Job
  }
}

const plain = (text: string): types.PlainTextElement => ({ type: 'plain_text', text, emoji: true })
const section = (text: string, accessory?: types.Button): Block => ({
  type: 'section',
  text: asItIs(short(text, 3000)),
  ...(accessory ? { accessory } : {}),
})
const shownVersions = 10

/** A button that runs a command after Slack asked whether that is meant. */
function runButton(text: string, command: string, question: string): types.Button {
  const confirm = { title: plain(text), text: plain(question), confirm: plain('Yes'), deny: plain('No') }
  return { type: 'button', action_id: 'hone:run', text: plain(text), value: command, confirm }
}

/** App Home: for everyone what they said and what becomes of it; for admins how the bot learns. */
export function homeView({ mine, privacy, command, admin }: HomeView): types.HomeView {
  const forget = runButton(
    'Forget me',
    'forget-me confirm',
    'This deletes what you wrote and every vote of yours, for good.',
  )
  const blocks: Block[] = [
    { type: 'header', text: plain('My votes') },
    section(`👍 ${mine.up} · 👎 ${mine.down} · better answers ${mine.corrections}`),
    { type: 'header', text: plain('Privacy') },
    section(escaped(privacy).replaceAll('**', '*'), forget),
    { type: 'context', elements: [{ type: 'mrkdwn', text: `\`${command} help\` lists the commands.` }] },
  ]
  if (admin) blocks.push({ type: 'divider' }, ...adminBlocks(admin))
  return { type: 'home', blocks }
}

function adminBlocks({ counts, versions, job }: NonNullable<HomeView['admin']>): Block[] {
  const votes = new Map<string, { up: number; down: number }>()
  for (const { version, up, down } of counts) {
    const sum = votes.get(version) ?? { up: 0, down: 0 }
    votes.set(version, { up: sum.up + up, down: sum.down + down })
  }
  const lines = [...votes].map(([version, { up, down }]) => `*${version}*  👍 ${up} · 👎 ${down}`)
  const running = job?.state === 'running'
  const begun = job?.startedAt.toISOString().slice(0, 16).replace('T', ' ')
  const run = job
    ? `${running ? 'Training run' : 'Last training run'}: *${job.state}*, begun ${begun}.`
    : 'Nothing was trained yet.'
  const next = running
    ? runButton('Cancel', 'cancel', 'What the training run has done so far is lost.')
    : runButton('Retrain', 'retrain', 'The new version serves only if it proves better.')
  return [
    { type: 'header', text: plain('Learning') },
    section(lines.join('\n') || 'No votes yet.'),
    section(run, next),
    ...versions.slice(-shownVersions).toReversed().map(versionBlock),
    {
      type: 'actions',
      elements: [runButton('Roll back', 'rollback', 'The version that served before will serve again.')],
    },
  ]
}

function versionBlock({ id, serving, pairs, gate, canary }: VersionInfo): Block {
  const text = `*${escaped(id)}*${serving ? ' · serves' : canary ? ' · canary' : ''} · ${counted(pairs.length, 'pair')}${gate ? ` · gate: ${gate.verdict}` : ''}`
  return section(text, serving ? undefined : runButton('Promote', `promote ${id}`, `${id} will answer from now on.`))
}
