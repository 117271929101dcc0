import type { Task } from './entities.ts'

/** How long a task waits after its second loss in a row. */
const LOSS_DELAY_MS = 1000
/** The delay doubles with each further loss, up to this. */
const LOSS_DELAY_MS_MAX = 60_000

/** The number of lost attempts at the end of its history. */
export function lostInARow({ past: { history } }: Task): number {
  let lost = 0
  while (lost < history.length && history[history.length - 1 - lost]?.how !== 'failed') lost += 1
  return lost
}

/**
 * How long a task waits after it was lost with its worker, in ms. After the first loss it does not wait, because its
 * lease has already been waited for. The delay bounds how often a worker that lets its leases expire gets a task.
 */
export function lossDelayMs(task: Task): number {
  const known = lostInARow(task)
  // If the history holds only losses, there may have been more than it keeps.
  const before = known < task.past.history.length ? known : task.attempts - 1
  // A redrive sets the count of attempts to 0.
  const losses = Math.min(before, task.attempts - 1)
  return losses === 0 ? 0 : Math.min(LOSS_DELAY_MS * 2 ** Math.min(losses - 1, 16), LOSS_DELAY_MS_MAX)
}
