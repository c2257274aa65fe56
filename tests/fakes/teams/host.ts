import { fetchEndpoint, type Teams } from '../../../adapters/teams/index.ts'
import type { TurnContext } from '../../../adapters/teams/sdk.ts'

/** Where Teams is, and who signs its tokens. */
export interface Outside {
  readonly url: string
  readonly issuer: { readonly name: string }
}

/** A host program on one of the two SDKs. */
export interface Host {
  readonly adapter: object
  use(teams: Teams): void
  /** What arrives at the messaging endpoint. */
  fetch(request: Request): Promise<Response>
  /** What went on to the host's own handler. */
  readonly seen: readonly { readonly type: string; readonly name?: string }[]
  /** Lets the host's handler do something. */
  onTurn(work: (context: TurnContext) => Promise<unknown>): void
}
export type OpenHost = (connector: Outside, how?: { readonly anonymous?: boolean }) => Host

interface Processing {
  // The two SDKs type their requests and contexts differently; `fetchEndpoint` makes them.
  process(request: never, response: never, logic: never): Promise<unknown>
}

export function host(adapter: Processing & object, use: (teams: Teams) => void): Host {
  const seen: { type: string; name?: string }[] = []
  let work: (context: TurnContext) => Promise<unknown> = async () => undefined
  const logic = async (context: { activity: { type: string; name?: string } }): Promise<void> => {
    const { type, name } = context.activity
    seen.push({ type, ...(name ? { name } : {}) })
    await work(context as never)
  }
  return {
    adapter,
    seen,
    use,
    onTurn(given) {
      work = given
    },
    fetch: fetchEndpoint(adapter, { logic: logic as never }),
  }
}
