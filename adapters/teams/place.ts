import { HoneError } from '../../src/errors.ts'
import { newId } from '../../src/id.ts'
import type { Person } from '../../src/ports/channel.ts'
import { type Address, addressOf } from './address.ts'
import type { Activity } from './sdk.ts'

/** Where an activity came from, who wrote it, and its id as an event. */
export interface Place {
  readonly address: Address
  readonly person: Person
  readonly event: string
}

/** A person by their Entra object id; by Teams's own id where there is none. */
export function personId(tenant: string, id: string): string {
  return `teams:${tenant}:${id}`
}

/**
 * @throws HoneError INPUT for an activity that doesn't say where it came from.
 */
export function placeOf(activity: Activity): Place {
  const address = addressOf(activity)
  if (!address) throw new HoneError('INPUT', 'The activity does not say from which conversation of Teams it is.')
  // Teams names every activity. One without a name can't be known again, but must not pass for another one.
  const { from, id } = activity
  const { tenant, conversation } = address
  return {
    address,
    person: { id: personId(tenant, from?.aadObjectId ?? from?.id ?? ''), name: from?.name ?? 'someone' },
    event: `teams:${tenant}:${conversation}:${id || newId('e')}`,
  }
}
