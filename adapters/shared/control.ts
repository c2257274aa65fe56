import { HoneError } from '../../src/errors.ts'

export const actions = [
  'up',
  'down',
  'withdraw',
  'retry',
  'correct',
  'why',
  'duel-left',
  'duel-right',
  'duel-tie',
  'duel-bad',
  'stop',
] as const

/** What pressing a button means. `id` is a turn, a duel, or (to stop) an event. */
export interface Control {
  readonly action: (typeof actions)[number]
  readonly id: string
}

const longest = 100
const pattern = new RegExp(`^hone:(${actions.join('|')}):([!-~]+)$`)

/**
 * The id of a button: whole in itself, so that it means the same after a restart and on any replica.
 *
 * @throws HoneError INPUT for an id that does not fit into 100 printable characters.
 * @example encodeControl({ action: 'up', id: 'b_1' }) // 'hone:up:b_1'
 */
export function encodeControl({ action, id }: Control): string {
  const text = `hone:${action}:${id}`
  if (!parseControl(text)) throw new HoneError('INPUT', `"${id.slice(0, 40)}" can't be the id of a button.`)
  return text
}

/** What a button's id says; undefined for ids that aren't ours. Never throws: ids come from outside. */
export function parseControl(text: unknown): Control | undefined {
  if (typeof text !== 'string' || text.length > longest) return undefined
  const [, action, id] = pattern.exec(text) ?? []
  return action && id ? { action: action as Control['action'], id } : undefined
}
