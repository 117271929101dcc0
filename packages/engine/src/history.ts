import type { TaskFailure } from '@sluice/protocol'
import type { AttemptRecord } from './events.ts'

/** Ended attempts that a task keeps. Older ones are dropped. */
export const HISTORY_MAX = 20
/** UTF-16 code units of messages and names that a task keeps of all errors but the newest, which is kept whole. */
export const HISTORY_LENGTH_MAX = 4096

/**
 * The attempts that are kept, the newest last. A million tasks may have failed, so a stack is kept only of the newest
 * attempt. If the errors are long, the oldest attempts keep only that they happened.
 */
export function historyOf(attempts: readonly AttemptRecord[]): readonly AttemptRecord[] {
  const history = attempts.at(-1)?.cut === 'history' ? attempts.slice(-1) : attempts.slice(-HISTORY_MAX)
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

/** Code units of the parts of an error that are kept for long. */
export function lengthOf({ message, name = '', code = '' }: TaskFailure): number {
  return message.length + name.length + code.length
}

function withoutStack({ stack: _, ...error }: TaskFailure): TaskFailure {
  return error
}
