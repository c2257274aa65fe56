import type { FeedbackEvent } from '../../src/ports/bot.ts'
import type { Inbound } from '../../src/ports/channel.ts'

/** What the parent tells the child, a JSON line each. `n` names it in the answer. */
export type Order = { readonly n: number } & (
  | { readonly kind: 'receive'; readonly event: Inbound }
  | { readonly kind: 'feedback'; readonly event: FeedbackEvent }
  | { readonly kind: 'train' }
  | { readonly kind: 'drain' }
)

/** What the child says, a JSON line each; written before anything else happens. */
export type Said =
  | { readonly kind: 'opening' }
  /** Ready; and what the process before left behind that must not be. */
  | { readonly kind: 'ready'; readonly running: number; readonly half: readonly string[] }
  | { readonly kind: 'done'; readonly n: number }
  | { readonly kind: 'failed'; readonly n: number; readonly code: string }
  /** A reply was delivered. */
  | { readonly kind: 'told'; readonly event: string; readonly turns: readonly string[]; readonly duel?: string }
