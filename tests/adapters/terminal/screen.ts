import { PassThrough } from 'node:stream'

/** Keeps what is written, and tells when a text has come. */
export function screen() {
  const output = new PassThrough()
  let text = ''
  const waiting = new Set<() => void>()
  output.on('data', (part: Buffer) => {
    text += part.toString()
    for (const check of [...waiting]) check()
  })
  const seen = (wanted: string) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!text.includes(wanted)) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })
  return { output, seen, text: () => text }
}
