import type { Task } from './entities.ts'
import type { EventOf } from './events.ts'
import { lostInARow } from './loss-delay.ts'
import { attemptsMax } from './task.ts'

/**
 * The terms on which an attempt is granted.
 *
 * If a task was lost with its worker, it may have killed the worker, or another task beside it may have. So the
 * worker reports that it begins the task before it starts it (`announced`), and only a task that has begun is charged
 * for the loss. If the next loss could be the last, or if there were two in a row already, the worker runs the task
 * alone (`alone`). Then a task that dies has died of its own fault.
 *
 * `durable`: a crash must not forget this delivery. Otherwise the last allowed attempt would be made again, or a task
 * that was delivered in time would be found expired. The task may be granted again while its first grant is still
 * being written.
 */
export type GrantTerms = Pick<EventOf<'leasesGranted'>, 'start' | 'durable'>

/** After this many lost attempts in a row, a task runs alone. */
const LOST_IN_A_ROW_MAX = 2

const PLAIN: GrantTerms = Object.freeze({})

/** The terms of a task that was never delivered depend only on its options. */
export function grantTerms(task: Task): GrantTerms {
  const { attempts, options, past } = task
  const isLast = attempts + 1 >= attemptsMax(task)
  const isDurable = isLast || options.ttlMs > 0
  const lost = lostInARow(task)
  const terms: GrantTerms = {}
  if (lost >= LOST_IN_A_ROW_MAX || (lost > 0 && isLast)) terms.start = 'alone'
  else if (lost > 0 || isLast || past.releases > 0) terms.start = 'announced'
  if (isDurable) terms.durable = true
  return terms.start || isDurable ? terms : PLAIN
}

export function isSameTerms(a: GrantTerms, b: GrantTerms): boolean {
  return a.start === b.start && a.durable === b.durable
}
