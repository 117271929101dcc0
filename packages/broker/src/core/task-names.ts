import { isWatching, type Session, type Submission, type Task } from '@sluice/engine'

/**
 * The names under which a session knows a task: the place in a submission over the current connection, the id
 * (undefined) if the session asked by id, or both.
 */
export function namesFor(task: Task, session: Session): (Submission | undefined)[] {
  const { submission } = task
  const isSubmitted = submission?.session === session && submission.connection === session.connections
  if (!isSubmitted) return [undefined]
  return isWatching(task, session) ? [submission, undefined] : [submission]
}
