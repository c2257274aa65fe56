import { randomBytes } from 'node:crypto'

/** A short unique id that sorts by time: kind, milliseconds in base 36, 10 random characters. */
export function newId(kind: string, now = Date.now()): string {
  const random = randomBytes(7).toString('hex').slice(0, 10)
  return `${kind}_${now.toString(36)}${random}`
}

/**
 * Where the commands of a channel wait in the inbox until they are answered. No channel has such a name: whatever
 * happens, a command never becomes a question to the model.
 *
 * @example commandsOf('slack') // 'slack:command'
 */
export function commandsOf(channel: string): string {
  return `${channel}:command`
}

/** Tenants that belong to the operator: the page, the terminal, imported files. They have one version together. */
export const ownTenants: readonly string[] = ['web', 'terminal', 'import']

/**
 * The tenant, where it is a workspace or a guild with data of its own; empty for the operator's own tenants. Under this
 * name its versions and what served it are kept.
 *
 * @example guestOf('slack:T1') // 'slack:T1'; guestOf('web') // ''
 */
export function guestOf(tenant: string): string {
  return ownTenants.includes(tenant) ? '' : tenant
}

/** Whether a training run concerns a tenant: its own and the operator's do, those of other tenants are not told. */
export function concerns(job: { readonly detail: Readonly<Record<string, unknown>> }, tenant: string): boolean {
  return !job.detail.tenant || job.detail.tenant === tenant
}

/**
 * The name under which it is kept, once and for ever, that a person was told what their votes changed in a version.
 *
 * @example await store.inbox.claim({ …event, id: receiptOf('v3', 'web:anna') })
 */
export function receiptOf(version: string, person: string): string {
  return `receipt:${version}:${person}`
}

export function isReceipt(event: string): boolean {
  return event.startsWith('receipt:')
}
