import { asHoneError, HoneError } from '../errors.ts'

/** What a command prints: results on stdout, everything else on stderr. */
export interface Output {
  /** A result: text for people, or with `--json` the data as one JSON object. */
  result(text: string, data: unknown): void
  /** Progress and remarks. */
  say(text: string): void
  readonly json: boolean
}

export function createOutput(json: boolean): Output {
  return {
    json,
    result: (text, data) => void process.stdout.write(json ? `${JSON.stringify(data)}\n` : `${text}\n`),
    say: (text) => void process.stderr.write(`${text}\n`),
  }
}

const usageCodes = new Set(['INPUT', 'CONFIG'])

/** Says what went wrong and what to do. Returns the exit code: 2 for wrong use, 1 for everything else. */
export function explainFailure(error: unknown, output: Output): 1 | 2 {
  const known = error instanceof HoneError ? error : asHoneError(error, 'STORE', 'Something unexpected failed')
  if (output.json) output.result('', { error: { code: known.code, message: known.message, help: known.help } })
  output.say(`${known.message}\n${known.help}`)
  return usageCodes.has(known.code) ? 2 : 1
}
