import { isWatching, type Session, type Submission, type Task } from '@sluice/engine'

/**
 * By what a session knows a task: by its place in a submission made over the present connection, by its id (undefined)
 * where it asked for that, or by both.
 */
export function namesFor(task: Task, session: Session): (Submission | undefined)[] {
  const { submission } = task
  const isSubmitted = submission?.session === session && submission.connection === session.connections
  if (!isSubmitted) return [undefined]
  return isWatching(task, session) ? [submission, undefined] : [submission]
}
