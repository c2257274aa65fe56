import type { types } from '@slack/bolt'
import { homeView } from '../../../adapters/slack/render/home.ts'
import { confirmBlocks, correctionModal, thanksBlocks } from '../../../adapters/slack/render/modal.ts'
import {
  doneMark,
  duelBlocks,
  errorBlocks,
  liveMark,
  markdown,
  plainReplyBlocks,
  replyBlocks,
  sourceBlocks,
  stopBlocks,
  taskChunk,
} from '../../../adapters/slack/render/reply.ts'
import { runBlocks } from '../../../adapters/slack/render/run.ts'
import type { VersionInfo } from '../../../src/ports/learning.ts'
import type { BotTurn, Job } from '../../../src/ports/store.ts'

/** How much of everything a sample holds: an ordinary message, or more than Slack takes. */
export interface Size {
  readonly times: number
}

const event = 'slack:T1:C1:1763900001.000100'
const at = new Date(Date.UTC(2026, 4, 1, 12))
const gate = {
  verdict: 'promote',
  checks: [{ id: 'fresh', what: 'Fresh answers liked', value: 0.71234, limit: '≥ 0.5', pass: true, n: 40 }],
} as const
const list = <T>(times: number, make: (n: number) => T): readonly T[] =>
  Array.from({ length: times }, (_, n) => make(n))

const sources = (times: number) =>
  list(times, (n) => ({
    number: n + 1,
    title: `Leave & <pay>${' and more'.repeat(times - 1)}`,
    document: 'leave.md',
    text: 'Everyone gets 25 days.',
    url: `https://docs.example/leave?page=${n}&all`,
  }))
const turn = (times: number): BotTurn => ({
  ...{ id: 'b_1', parent: 'u_1', tenant: 'slack:T1', channel: 'slack', thread: 'slack:T1:C1:1.1', role: 'assistant' },
  ...{ text: 'Twenty-five days [1].'.repeat(times), at, version: 'v1', profile: 'desk@1', prompt: 'p', sources: [] },
  usage: { prompt: 9, evaluated: 4, completion: 2 },
})
const job: Job = { id: 'j1', kind: 'train', state: 'promoted', by: 'slack:T1:UADMIN', startedAt: at, detail: {} }
const version = (n: number): VersionInfo => ({
  ...{ id: `v${n}`, serving: n === 1, createdAt: at, bytes: 1000, gate },
  pairs: [{ origin: 'votes', chosen: 'b_1', rejected: 'b_2', people: ['slack:T1:UANNA'] }],
})

/** Every kind of message as it is sent to Slack. */
export function messages({ times }: Size): Readonly<Record<string, readonly types.KnownBlock[]>> {
  return {
    answer: [...sourceBlocks(sources(times)), ...replyBlocks('b_1', doneMark(event))],
    'answer without feedback buttons': [...sourceBlocks(sources(times)), ...plainReplyBlocks('b_1', doneMark(event))],
    'answer in progress': [markdown('Twenty-five', liveMark(event)), ...stopBlocks(event)],
    duel: duelBlocks('b_1.b_2', doneMark(event)),
    error: errorBlocks('The reply broke off. Send your message again.'.repeat(times), doneMark(event)),
    'training run': runBlocks({
      ...{ phase: 'Learning', step: 30, steps: 60, etaSeconds: 240, loss: 0.4321, spark: '▇▅▃▂' },
      gate: { ...gate, checks: list(times, () => gate.checks[0]) },
    }),
    thanks: thanksBlocks('Thanks, that helps.'.repeat(times), 'b_1'),
    'question before a command': confirmBlocks('promote v2', 'Let this version serve from now on?'),
  }
}

export function modal({ times }: Size): types.ModalView {
  const about = { turn: 'b_1', channel: 'C1', thread: '1763900001.000100' }
  return correctionModal(turn(times), about, { reasonAsked: true, answers: true })
}

export function home({ times }: Size): types.HomeView {
  const mine = { up: 3, down: 1, corrections: 1 }
  const privacy = 'Kept on this machine: **what you write**.'.repeat(times)
  const counts = list(times, (n) => ({ day: '2026-05-01', version: `v${n}`, up: 2, down: 1 }))
  return homeView({ mine, privacy, command: '/hone', admin: { counts, versions: list(times + 1, version), job } })
}

/** The task card of a stream. */
export function task({ times }: Size): types.AnyChunk {
  return taskChunk({ id: 'task1', title: 'Searching the documents', done: false, sources: sources(times) }, event)
}
