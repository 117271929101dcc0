import type { DeadReason, TaskFailure } from '@sluice/protocol'
import type { Env } from './commands.ts'
import type { Task } from './entities.ts'
import type { AttemptRecord, Event, Loss, Revoked } from './events.ts'
import type { LinkedList } from './linked-list.ts'
import { lossDelayMs } from './loss-delay.ts'
import type { State } from './state.ts'
import { attemptsMax } from './task.ts'

/** Decides what happens to a task whose attempt ended without a result, and which records exceed their bound. */

/**
 * After this many hand-backs and unbegun losses of a task, an expired lease counts as an attempt. If a lease is
 * shorter than the round trip to the worker, no worker can report in time that it has begun. Without this bound, such
 * a task would come back for ever.
 */
const EXPIRED_UNBEGUN_MAX = 10

interface EndedAttempt {
  how: AttemptRecord['how']
  error?: TaskFailure
  retryable: boolean
  /** Delay before the next attempt, in ms. */
  retryAfterMs: number
}

export function endAttempt(state: State, task: Task, ended: EndedAttempt, { nowMs }: Pick<Env, 'nowMs'>): Event {
  const { how, error, retryable, retryAfterMs } = ended
  const attempt: AttemptRecord = { attempt: task.attempts, endedAtMs: nowMs, how }
  if (error) attempt.error = error
  // A worker that failed the task or lost its session knows. A worker whose lease expired must be told.
  const revoked = how === 'lease_expired' ? revokedOf(task) : {}
  if (retryable && task.attempts < attemptsMax(task)) {
    return { type: 'attemptFailed', id: task.id, attempt, retryAtMs: nowMs + retryAfterMs, ...revoked, atMs: nowMs }
  }
  const reason: DeadReason = how !== 'failed' ? 'lease_expired' : retryable ? 'attempts_exhausted' : 'not_retryable'
  return {
    type: 'taskDied',
    id: task.id,
    reason,
    error: error ?? lossOf(how, task),
    attempt,
    forgetAtMs: nowMs + state.config.deadTtlMs,
    ...revoked,
    atMs: nowMs,
  }
}

/** The error of a last attempt that was lost with its worker. */
function lossOf(how: AttemptRecord['how'], { options }: Task): TaskFailure | undefined {
  if (how === 'failed') return undefined
  const why =
    how === 'lease_expired'
      ? `nothing was heard of its worker for leaseMs (${options.leaseMs})`
      : 'its worker lost its connection and did not come back within graceMs'
  return { message: `the last attempt was lost: ${why}` }
}

/** The session that holds a leased task and must be told that it no longer does. */
export function revokedOf({ phase, lease }: Task): { revoked?: Revoked } {
  return phase.state === 'leased' ? { revoked: { session: phase.session.id, lease } } : {}
}

/**
 * A lease was lost with its holder. The task is ready at once, because the worker failed and not the task; after several
 * losses in a row it waits. An attempt that had not begun does not count, as if the lease had been handed back.
 */
export function loseLease(state: State, task: Task, how: Loss, env: Pick<Env, 'nowMs'>): Event {
  const { releasesMax } = state.config
  const unbegunMax = how === 'lease_expired' ? Math.min(EXPIRED_UNBEGUN_MAX, releasesMax) : releasesMax
  if (isBegun(task) || task.past.releases >= unbegunMax)
    return endAttempt(state, task, { how, retryable: true, retryAfterMs: lossDelayMs(task) }, env)
  const { nowMs } = env
  const revoked = how === 'lease_expired' ? revokedOf(task) : {}
  return { type: 'leaseReleased', id: task.id, retryAtMs: nowMs, lost: how, ...revoked, atMs: nowMs }
}

/** Whether the holder of a leased task has begun it, as far as the broker knows. */
function isBegun({ phase, lease }: Task): boolean {
  return phase.state !== 'leased' || !phase.session.begins || lease <= phase.session.begun
}

/** A lease is handed back. No attempt counts, unless the task has been handed back too often. */
export function handBack(state: State, task: Task, { nowMs }: Pick<Env, 'nowMs'>): Event {
  if (task.past.releases >= state.config.releasesMax) {
    const error = { message: `the task was handed back, or lost before it began, ${task.past.releases} times` }
    return endAttempt(state, task, { how: 'failed', error, retryable: true, retryAfterMs: 0 }, { nowMs })
  }
  return { type: 'leaseReleased', id: task.id, retryAtMs: nowMs, atMs: nowMs }
}

/** How many bytes the results exceed their bound by, and the result size of each task that joins. */
export interface ResultBytes {
  surplus: number
  joining: readonly number[]
}

const NO_RESULTS: ResultBytes = { surplus: 0, joining: [] }

/**
 * The oldest records of `list` that exceed the bound once the tasks `joining` have been added in this order. If a
 * command adds more tasks than the bound, the first of these are among them. Call it once a list and command: a
 * second call would name the same records again.
 */
export function trimmed(
  list: LinkedList<Task>,
  joining: readonly number[],
  max: number,
  atMs: number,
  results = NO_RESULTS,
): Event[] {
  let surplus = list.size + joining.length - max
  let surplusBytes = results.surplus
  if (surplus <= 0 && surplusBytes <= 0) return []
  const tasks: number[] = []
  const drop = (seq: number, bytes: number): void => {
    tasks.push(seq)
    surplus -= 1
    surplusBytes -= bytes
  }
  for (let task = list.head; task && (surplus > 0 || surplusBytes > 0); task = task.next)
    drop(task.seq, task.resultBytes)
  for (let i = 0; i < joining.length && (surplus > 0 || surplusBytes > 0); i += 1)
    drop(joining[i] as number, results.joining[i] ?? 0)
  return [{ type: 'oldestForgotten', tasks, atMs }]
}

/** The dead letters that exceed a queue's bound once these events have added theirs. */
export function trimmedDead(state: State, events: readonly Event[], atMs: number): Event[] {
  const dying = new Map<Task['queue'], number[]>()
  for (const event of events) {
    const task = event.type === 'taskDied' ? state.tasks.get(event.id) : undefined
    if (task) joiningOf(dying, task.queue).push(task.seq)
  }
  return [...dying].flatMap(([queue, joining]) => trimmed(queue.dead, joining, state.config.queueDeadMax, atMs))
}

export function joiningOf(joining: Map<Task['queue'], number[]>, queue: Task['queue']): number[] {
  let tasks = joining.get(queue)
  if (!tasks) {
    tasks = []
    joining.set(queue, tasks)
  }
  return tasks
}
