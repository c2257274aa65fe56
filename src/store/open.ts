import { type Dialect, Kysely } from 'kysely'
import type { Store } from '../ports/store.ts'
import { calls } from './calls.ts'
import { feedback } from './feedback.ts'
import { inbox } from './inbox.ts'
import { jobs } from './jobs.ts'
import { messages } from './messages.ts'
import { migrate } from './migrations.ts'
import { past } from './past.ts'
import { profiles } from './profiles.ts'
import type { Flavour, Tables } from './schema.ts'
import { serving } from './serving.ts'
import { trials } from './trials.ts'
import { turns } from './turns.ts'
import { wishes } from './wishes.ts'

/** Opens a store on a dialect: brings the tables up to date and puts the parts together. */
export async function open(dialect: Dialect, flavour: Flavour, schema?: string): Promise<Store> {
  const db = new Kysely<Tables>({ dialect })
  try {
    await migrate(db, flavour, schema)
  } catch (error) {
    await db.destroy()
    throw error
  }
  const session = { db, flavour, ...flavour.writers(db) }
  return {
    turns: turns(session),
    messages: messages(session),
    feedback: feedback(session),
    inbox: inbox(session),
    jobs: jobs(session),
    serving: serving(session),
    trials: trials(session),
    profiles: profiles(session),
    calls: calls(session),
    past: past(session),
    wishes: wishes(session),
    [Symbol.asyncDispose]: () => db.destroy(),
  }
}
