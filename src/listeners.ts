import type { Logger } from './log.ts'
import type { VariablesHandler } from './ports/bot.ts'
import type { Inbound } from './ports/channel.ts'
import type { BotTurn } from './ports/store.ts'

const longestMs = 10_000

/** The host's functions that are told what came out of replies. */
export interface Listeners {
  readonly on: (what: 'variables', handler: VariablesHandler) => () => void
  /** Resolves when all have been told, or have taken ten seconds. What they throw is logged. */
  tell(event: Inbound, turns: readonly BotTurn[]): Promise<void>
}

/** Makes an empty list of listeners. */
export function createListeners(log: Logger): Listeners {
  const handlers = new Set<VariablesHandler>()

  async function one(handler: VariablesHandler, event: Inbound, turn: BotTurn): Promise<void> {
    const { person, tenant, channel, thread } = event
    if (!turn.output || !('values' in turn.output)) return
    await handler(turn.output.values, { turn: turn.id, thread, tenant, channel, person })
  }

  return {
    on(_, handler) {
      // A function of its own, so that one that is added twice is told twice and taken away once.
      const own: VariablesHandler = (values, where) => handler(values, where)
      handlers.add(own)
      return () => void handlers.delete(own)
    },
    async tell(event, turns) {
      const telling = turns.flatMap((turn) =>
        [...handlers].map((handler) =>
          within(one(handler, event, turn)).catch((error: unknown) =>
            log.error('handler.failed', { what: 'variables', turn: turn.id, error }),
          ),
        ),
      )
      await Promise.all(telling)
    },
  }
}

async function within(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It took longer than ${longestMs / 1000} seconds.`)), longestMs)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
