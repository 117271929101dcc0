import { isFinished, type Task, unfinished } from '@sluice/engine'
import type { Host } from './host.ts'

/**
 * The maximum number of tasks that one request drops. So each request is answered in time, and the caller repeats it
 * while there is more.
 */
const PURGE_MAX = 100_000
/** The length of a queue name from outside that a message shows. */
const QUEUE_SHOWN_MAX = 200
/** Tasks dropped in one turn. */
const BATCH = 1000

/** How many tasks were dropped, and whether more are left. */
export interface Purged {
  purged: number
  more: boolean
}

/**
 * Cancels the ready and delayed tasks of a queue. Leased tasks continue, as AMQP 0-9-1's `queue.purge` also leaves
 * unacknowledged messages. Resolves once that is durable.
 */
export function purgeQueue(host: Host, name: string, durable: () => Promise<void>): Promise<Purged> {
  const queue = host.state.queues.get(name)
  return cancelTasks(host, name, queue ? queue.ready.size + queue.delayed : 0, isWaiting, durable)
}

/**
 * Cancels all unfinished tasks of a queue and drops all its records, including dead letters. Afterwards the name is
 * free if nobody takes from the queue or adds to it. Resolves once that is durable.
 */
export async function dropQueue(host: Host, name: string, durable: () => Promise<void>): Promise<Purged> {
  const queue = host.state.queues.get(name)
  if (queue === undefined) return { purged: 0, more: false }
  const records = queue.done.size + queue.dead.size
  const cancelled = await cancelTasks(host, name, unfinished(queue), (task) => !isFinished(task), durable)
  // Tasks that finish meanwhile are not waited for.
  for (let left = records + cancelled.purged; left > 0; left -= BATCH) {
    host.apply({ type: 'dropRecords', queue: name, max: Math.min(left, BATCH) })
    await durable()
  }
  return { purged: records + cancelled.purged, more: cancelled.more }
}

/** Cancels matching tasks of a queue. `count` is how many match now. */
async function cancelTasks(
  host: Host,
  name: string,
  count: number,
  isMeant: (task: Task) => boolean,
  durable: () => Promise<void>,
): Promise<Purged> {
  const meant: Task[] = []
  for (const task of host.state.tasks.values()) {
    if (meant.length === Math.min(count, PURGE_MAX)) break
    if (task.queue.name === name && isMeant(task)) meant.push(task)
  }
  let purged = 0
  for (let i = 0; i < meant.length; i += BATCH) {
    // Meanwhile some may have been leased, cancelled or forgotten.
    const some = meant.slice(i, i + BATCH).filter((task) => isMeant(task) && host.state.tasks.get(task.id) === task)
    host.apply({ type: 'cancel', session: undefined, ref: 0, ids: some.map(({ id }) => id) })
    purged += some.length
    await durable()
  }
  return { purged, more: count > meant.length }
}

/** Forgets dead letters, by id or of a whole queue. Resolves once that is durable. */
export async function purgeDead(
  host: Host,
  target: { ids: readonly string[] } | { queue: string },
  durable: () => Promise<void>,
): Promise<Purged> {
  const all = 'ids' in target ? [...new Set(target.ids)] : deadIds(host, target.queue)
  const ids = all.slice(0, PURGE_MAX)
  let purged = 0
  for (let i = 0; i < ids.length; i += BATCH) {
    const some = ids.slice(i, i + BATCH)
    purged += some.length - host.apply({ type: 'forget', ids: some }).length
    await durable()
  }
  return { purged, more: all.length > ids.length }
}

/** @throws an Error with code unknown_task if there is no such queue */
export function deadIds(host: Host, name: string): string[] {
  const queue = host.state.queues.get(name)
  if (!queue) {
    const message = `there is no queue ${JSON.stringify(name.slice(0, QUEUE_SHOWN_MAX))}, so it has no dead letters`
    throw Object.assign(new Error(message), { code: 'unknown_task' })
  }
  const ids: string[] = []
  for (let task = queue.dead.head; task; task = task.next) ids.push(task.id)
  return ids
}

function isWaiting(task: Task): boolean {
  return !isFinished(task) && task.phase.state !== 'leased'
}
