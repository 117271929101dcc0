import type { TaskFailure } from '@sluice/protocol'
import type { AttemptRecord } from './events.ts'

/** Ended attempts kept with a task; older ones are dropped. */
export const HISTORY_MAX = 20
/** UTF-16 code units of messages and names kept of all of them but the newest, which has its error whole. */
export const HISTORY_LENGTH_MAX = 4096

/**
 * What is kept of attempts, the newest last. There may be a million tasks that have failed: a stack is kept of the newest
 * attempt alone, and of the oldest ones that they were, where the errors of all of them are long.
 */
export function historyOf(attempts: readonly AttemptRecord[]): readonly AttemptRecord[] {
  const history = attempts.slice(-HISTORY_MAX)
  let length = 0
  for (let i = history.length - 2; i >= 0; i -= 1) {
    const { error, ...rest } = history[i] as AttemptRecord
    if (error === undefined) continue
    length += lengthOf(error)
    if (length > HISTORY_LENGTH_MAX) history[i] = rest
    else if (error.stack !== undefined) history[i] = { ...rest, error: withoutStack(error) }
  }
  return history
}

/** Code units of what is kept of an error for long. */
export function lengthOf({ message, name = '', code = '' }: TaskFailure): number {
  return message.length + name.length + code.length
}

function withoutStack({ stack: _, ...error }: TaskFailure): TaskFailure {
  return error
}
