import type { DeadReason, TaskFailure } from '@sluice/protocol'
import type { Env } from './commands.ts'
import type { Task } from './entities.ts'
import type { AttemptRecord, Event, Loss, Revoked } from './events.ts'
import type { LinkedList } from './linked-list.ts'
import type { State } from './state.ts'
import { attemptsMax } from './task.ts'

/** The one place that says what becomes of a task whose attempt ended without a result, and of records past their bound. */

/**
 * Leases of a task that may expire unbegun before another one that does is charged. Where its lease is shorter than the way to
 * the worker and back, no worker can say in time that it has begun, and the task would go round for ever.
 */
const EXPIRED_UNBEGUN_MAX = 10

interface EndedAttempt {
  how: AttemptRecord['how']
  error?: TaskFailure
  retryable: boolean
  /** How long to wait before the next attempt, in ms. */
  retryAfterMs: number
}

export function endAttempt(state: State, task: Task, ended: EndedAttempt, { nowMs }: Pick<Env, 'nowMs'>): Event {
  const { how, error, retryable, retryAfterMs } = ended
  const attempt: AttemptRecord = { attempt: task.attempts, endedAtMs: nowMs, how }
  if (error) attempt.error = error
  // A worker that failed or lost its session knows; one that let its lease expire has to be told.
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

/** What there is to tell of a last attempt whose worker said nothing. */
function lossOf(how: AttemptRecord['how'], { options }: Task): TaskFailure | undefined {
  if (how === 'failed') return undefined
  const why =
    how === 'lease_expired'
      ? `nothing was heard of its worker for leaseMs (${options.leaseMs})`
      : 'its worker lost its connection and did not come back within graceMs'
  return { message: `the last attempt was lost: ${why}` }
}

/** The holder of a task that is leased, who has to be told that it is not any more. */
export function revokedOf({ phase, lease }: Task): { revoked?: Revoked } {
  return phase.state === 'leased' ? { revoked: { session: phase.session.id, lease } } : {}
}

/**
 * A lease that ended with its holder: the task is ready at once, for it is the worker that failed. One that had not been
 * begun costs no attempt, as if it had been handed back.
 */
export function loseLease(state: State, task: Task, how: Loss, env: Pick<Env, 'nowMs'>): Event {
  const { releasesMax } = state.config
  const unbegunMax = how === 'lease_expired' ? Math.min(EXPIRED_UNBEGUN_MAX, releasesMax) : releasesMax
  if (isBegun(task) || task.past.releases >= unbegunMax)
    return endAttempt(state, task, { how, retryable: true, retryAfterMs: 0 }, env)
  const { nowMs } = env
  const revoked = how === 'lease_expired' ? revokedOf(task) : {}
  return { type: 'leaseReleased', id: task.id, retryAtMs: nowMs, lost: how, ...revoked, atMs: nowMs }
}

/** Whether the holder of a leased task has begun it, as far as is known. */
function isBegun({ phase, lease }: Task): boolean {
  return phase.state !== 'leased' || !phase.session.begins || lease <= phase.session.begun
}

/** A lease handed back unfinished: no attempt is counted, but for a task that has been handed back too often. */
export function handBack(state: State, task: Task, { nowMs }: Pick<Env, 'nowMs'>): Event {
  if (task.past.releases >= state.config.releasesMax) {
    const error = { message: `handed back ${task.past.releases} times` }
    return endAttempt(state, task, { how: 'failed', error, retryable: true, retryAfterMs: 0 }, { nowMs })
  }
  return { type: 'leaseReleased', id: task.id, retryAtMs: nowMs, atMs: nowMs }
}

/** The bytes by which results pass their bound, and those of each task that joins. */
export interface ResultBytes {
  surplus: number
  joining: readonly number[]
}

const NO_RESULTS: ResultBytes = { surplus: 0, joining: [] }

/**
 * Of `list`, to which the tasks `joining` are about to be added in this order, the oldest records past the bound: of a
 * command that adds more than the bound, the first ones it adds are among them. One call a list and command: a second
 * one would name the same records again.
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

/** The dead letters of a queue past their bound, once these events have added theirs. */
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
