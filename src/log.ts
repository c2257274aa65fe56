import pino from 'pino'

/** Events, not sentences: `log.info('reply.sent', { thread, turn, version, ms })`. User text only at `debug`. */
export interface Logger {
  debug(event: string, fields?: Record<string, unknown>): void
  info(event: string, fields?: Record<string, unknown>): void
  warn(event: string, fields?: Record<string, unknown>): void
  error(event: string, fields?: Record<string, unknown>): void
  child(fields: Record<string, unknown>): Logger
}

const secrets = [
  'token',
  'secret',
  'password',
  'authorization',
  'apiKey',
  '*.token',
  '*.secret',
  '*.password',
  '*.apiKey',
]

/** A logger that writes JSON lines to stderr (stdout belongs to commands' results). */
export function createLogger(level = 'info'): Logger {
  const sink = pino.destination({ fd: 2, sync: true })
  return wrap(pino({ level, base: null, redact: secrets, timestamp: pino.stdTimeFunctions.isoTime }, sink))
}

/** A logger that says nothing: for tests and for commands whose output is their result. */
export const silent: Logger = wrap(pino({ level: 'silent' }))

function wrap(inner: pino.Logger): Logger {
  return {
    debug: (event, fields = {}) => inner.debug(fields, event),
    info: (event, fields = {}) => inner.info(fields, event),
    warn: (event, fields = {}) => inner.warn(withError(fields), event),
    error: (event, fields = {}) => inner.error(withError(fields), event),
    child: (fields) => wrap(inner.child(fields)),
  }
}

/** pino serialises an error only under `err`. */
function withError(fields: Record<string, unknown>): Record<string, unknown> {
  const { error, ...rest } = fields
  return error instanceof Error ? { ...rest, err: error } : fields
}
