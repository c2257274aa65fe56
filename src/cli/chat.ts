import { once } from '../../adapters/terminal/index.ts'
import type { Desk } from './desk.ts'
import type { Output } from './output.ts'
import { talkThrough } from './talking.ts'

/** `hone chat`: a conversation in the terminal; with `--once TEXT` one reply. */
export async function chat(text: string | undefined, desk: Desk, output: Output): Promise<void> {
  const { stdin: input, stdout } = process
  if (text === undefined) return talkThrough(desk, { input, output: stdout, say: output.say })
  const { signal } = new AbortController()
  await once({ ask: (asked) => desk.ask(asked, signal) }, text, { output: stdout, json: output.json })
}
