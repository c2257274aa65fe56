/**
 * Every error that Hone raises on purpose: its code, and what a person can do about it.
 * The message of a `HoneError` says what happened; `help` (from this table) says what to do next.
 */
export const codes = {
  BUSY: 'Wait until the other one has ended, or cancel it.',
  CANCELLED: 'It was stopped on request; nothing was changed. Start it again when you like.',
  CONFIG: 'Correct the setting and start again. `hone doctor` lists every setting.',
  DATA_LOCKED: 'Another Hone uses this data folder. Stop it, or give this one its own HONE_DATA.',
  DISK_FULL: 'Free some space on the disk that holds HONE_DATA, then try again. Nothing that was stored is lost.',
  DOCUMENT: 'Open the file in its own program to see if it is whole, then ingest it again.',
  ENGINE_FAILED: 'The engine was restarted. If it happens again, run `hone doctor`.',
  ENGINE_MISSING: 'Install the package or set the model that the message names.',
  FEEDBACK: 'Look at the reply again and vote on the newest one.',
  FORBIDDEN: 'Ask an admin, or sign in with the admin token that `hone serve` prints.',
  IMPORT: 'Correct the line in the file and import again. No row of the file was taken.',
  INPUT: 'Change the input as the message says.',
  LIMIT: 'Wait a little. Whoever runs the bot sets the limit: HONE_QUESTIONS_A_MINUTE, HONE_PRESSES_A_MINUTE.',
  LORA_MISMATCH: 'Train again on the base model that serves now, or go back to the base the LoRA was made for.',
  MODEL_FILE: 'Get the model file again: `hone models pull`, or set HONE_MODEL to another GGUF.',
  NETWORK: 'Check the address and the connection, then try again.',
  NOT_ENOUGH_DATA: 'Collect more votes first. `hone feedback stats` shows what there is.',
  NOT_FOUND: 'Check the name; `hone versions`, `hone profile list` and `hone feedback stats` list what exists.',
  OUT_OF_MEMORY: 'Free some memory, or train a smaller model; `hone train --dry-run` shows what it is needed for.',
  PORT_TAKEN: 'Stop the other program or set HONE_PORT to a free port.',
  PYTHON: 'Install Python 3.11 or newer with venv and pip, then try again. Only training needs it.',
  STORE: 'Check that HONE_DATA is readable and writable, then try again.',
  SWAP_REFUSED: 'The version that served before goes on serving. `hone versions` shows the checks that failed.',
  TRAINER_FAILED: 'Look at the log that the message names. The version that served before goes on serving.',
  UNDELIVERED: 'The reply is kept. Let the bot write there again, or ask where it may.',
  UNSURE: 'Look in the system behind the tool whether it was done, before you ask for it again.',
  VARIABLE: 'Try again in a moment. If it goes on, tell an admin: the log says why, under variable.failed.',
} as const

export type ErrorCode = keyof typeof codes

/**
 * An error that says what happened and what to do.
 *
 * @example throw new HoneError('CONFIG', 'HONE_PORT is "abc", which is no port number.')
 */
export class HoneError extends Error {
  override readonly name = 'HoneError'
  readonly code: ErrorCode
  readonly fields: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; fields?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fields = options.fields ?? {}
  }

  /** What to do next, in one sentence. */
  get help(): string {
    return codes[this.code]
  }
}

/** Converts anything thrown into a `HoneError`, once, at the border where a vendor's error arrives. */
export function asHoneError(error: unknown, code: ErrorCode, what: string): HoneError {
  if (error instanceof HoneError) return error
  const reason = error instanceof Error ? error.message : String(error)
  if (isDiskFull(error)) return new HoneError('DISK_FULL', `${what}: the disk is full.`, { cause: error })
  return new HoneError(code, `${what}: ${reason}`, { cause: error })
}

/** True for a full disk, as Node (`ENOSPC`) and SQLite (`database or disk is full`) report it. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC' || /disk is full/i.test(error.message)) return true
  return error.cause !== undefined && isDiskFull(error.cause)
}
