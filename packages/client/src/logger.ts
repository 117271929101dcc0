import { isThenable } from './thenable.ts'

/** The part of a pino logger that is used here. Any logger of that shape fits. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** One line of a handler's log: fields and a message, or one of the two. */
type LogLine = {
  (message: string): void
  (fields: object, message?: string): void
}

/** The logger of a handler. */
export type TaskLogger = Readonly<Record<keyof Logger, LogLine>>

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

const ignore = (): void => {}

export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }

/**
 * The logger of a client or worker. Errors that the given logger throws are dropped, because a failing log, such as one
 * on a full disk, must not stop work. Without a logger, warnings and errors go to `warn`, or nowhere.
 * @throws Error if the given logger lacks one of the four methods
 */
export function safeLogger(given: Logger | undefined, warn?: (message: string, fields: object) => void): Logger {
  if (given === undefined) {
    const print = (fields: object, message: string) => warn?.(message, fields)
    return { ...silentLogger, warn: print, error: print }
  }
  const logger: Logger = { ...silentLogger }
  for (const level of LEVELS) {
    if (typeof given[level] !== 'function') throw new Error(`logger needs a function ${level}(fields, message)`)
    logger[level] = (fields, message) => {
      try {
        given[level](fields, message)
      } catch {
        // There is no place left to report this.
      }
    }
  }
  return logger
}

/** A handler's logger. It adds `fields` to every line that it passes to `write`. */
export function taskLogger(write: (level: keyof Logger, fields: object, message: string) => void): TaskLogger {
  const line =
    (level: keyof Logger): LogLine =>
    (first: unknown, message?: unknown) => {
      try {
        const [fields, text] = lineOf(first, message)
        write(level, fields, text)
      } catch (error) {
        write(level, {}, `a log line cannot be read: ${messageOf(error)}`)
      }
    }
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}

function lineOf(first: unknown, message: unknown): [fields: object, message: string] {
  if (typeof first !== 'object' || first === null)
    return [{}, message === undefined ? String(first) : `${first} ${message}`]
  if (first instanceof Error) return [{ err: first }, String(message ?? first.message)]
  return [first, String(message ?? '')]
}

/**
 * Calls a listener of the program. If it throws or rejects, that is logged, so that other listeners are still called.
 */
export function tell(logger: Logger, name: string, listener: () => unknown): void {
  const caught = (error: unknown) => logger.error({ err: error }, `${name} threw: ${messageOf(error)}`)
  try {
    const outcome = listener()
    if (isThenable(outcome)) Promise.resolve(outcome).catch(caught)
  } catch (error) {
    caught(error)
  }
}

/** The text of anything thrown. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown)
  } catch {
    return 'an error that cannot be read'
  }
}
