import type { Task } from './entities.ts'
import type { EventOf } from './events.ts'
import { attemptsMax } from './task.ts'

/**
 * On what terms an attempt is granted.
 *
 * A task that was lost with its worker may have been what killed it, or have run beside that. So the worker says that it
 * begins the task before it does (`announced`), and only a task that has been begun is charged for the loss; and where the
 * next loss could be the last, or came twice already, it runs the task with no other beside it (`alone`): whoever dies then
 * dies of its own.
 *
 * `durable`: what would be wrong if a crash forgot this delivery. The last allowed attempt would be made again, and a task
 * that was delivered in time would be found too old; it may be granted again while its first grant is still being written.
 */
export type GrantTerms = Pick<EventOf<'leasesGranted'>, 'start' | 'durable'>

/** Lost attempts one after the other that make a task run alone. */
const LOST_IN_A_ROW_MAX = 2

const PLAIN: GrantTerms = Object.freeze({})

/** For a task that was never delivered they depend on its options alone. */
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

/** Attempts lost at the end of its history. */
function lostInARow({ past: { history } }: Task): number {
  let lost = 0
  while (lost < history.length && history[history.length - 1 - lost]?.how !== 'failed') lost += 1
  return lost
}
