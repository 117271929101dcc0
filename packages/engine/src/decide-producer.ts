import type { CommandOf, Env } from './commands.ts'
import type { EngineConfig } from './config.ts'
import { joiningOf, revokedOf, trimmed } from './decide-attempt.ts'
import type { Queue, Task } from './entities.ts'
import type { Event, EventOf } from './events.ts'
import { NO_ROOM_MADE, roomMade } from './make-room.ts'
import { type NewQueuesLimit, newQueueRefusal, newQueuesLimit } from './new-queues.ts'
import { refusal, unknownTask } from './refusal.ts'
import { type State, unfinished } from './state.ts'
import { isFinished, isWatching, mayHaveNews, watchersOf } from './task.ts'

/** Commands of producers and operators: submit, watch, cancel, redrive, forget, drop records. */

export function submit(state: State, command: CommandOf<'submit'>, { nowMs }: Env): Event[] {
  const { session, ref, ids, bytes, digests } = command
  const { config } = state
  const events: Event[] = []
  const options = state.options.resolve(command.options)
  const queue = state.queues.get(command.queue)
  // A session that ended while its message waited is told nothing, but its submission counts.
  const watcher = command.watch && session !== undefined && state.sessions.has(session) ? session : undefined
  const newQueueLimit = queue ? undefined : newQueuesLimit(state, command.owner, 1)
  let tasksHeld = queue ? unfinished(queue) : 0
  let bytesHeld = queue ? queue.bytes : 0
  let ownerHolds = command.owner === undefined ? Number.NEGATIVE_INFINITY : (state.unfinishedOf.get(command.owner) ?? 0)
  let seq = state.nextSeq
  // Strictly increasing ids, as new UUIDv7s are, cannot repeat within the message.
  const seen = isAscending(ids) ? undefined : new Map<string, number>()
  const areNew = state.tasks.holdsNoneOf(ids)
  // The room over all queues.
  let tasksLeft = config.tasksMax - state.tasks.size
  let bytesLeft = config.bytesMax - state.bytes
  if (tasksLeft < ids.length || bytesLeft < sumOf(bytes)) {
    // A record that this message names must stay. If it names one, no room is made for its new tasks.
    const made = areNew ? roomMade(state, ids.length - tasksLeft, sumOf(bytes) - bytesLeft, nowMs) : NO_ROOM_MADE
    events.push(...made.events)
    tasksLeft += made.tasks
    bytesLeft += made.bytes
  }
  // The index of the first task of the current accepted run, and the bytes of all bodies before it.
  let first = 0
  let firstAt = 0
  let at = 0
  const acceptBefore = (end: number): void => {
    if (end > first) {
      events.push({
        type: 'tasksAccepted',
        queue: command.queue,
        options,
        contentType: command.contentType,
        watcher,
        ...(command.owner === undefined ? {} : { owner: command.owner }),
        ref,
        index: command.index + first,
        seq,
        body: firstAt,
        ids: ids.slice(first, end),
        bytes: bytes.slice(first, end),
        digests: digests.slice(first, end),
        atMs: nowMs,
      })
      seq += end - first
    }
    first = end + 1
    firstAt = at
  }
  for (let i = 0; i < ids.length; i += 1) {
    const id = ids[i] as string
    const size = bytes[i] as number
    at += size
    const index = command.index + i
    const known = areNew ? undefined : state.tasks.get(id)
    const digest = known ? known.digest : seen?.get(id)
    if (digest !== undefined) {
      acceptBefore(i)
      if (digest !== digests[i] || (known && known.queue.name !== command.queue)) {
        events.push(
          refusal(session, 'id_conflict', `task ${id} exists with different content: use a new id for a new task`, {
            ref,
            index,
            field: 'id',
          }),
        )
      } else if (known && watcher !== undefined) {
        events.push(...watched(state, known, watcher, ref, index, nowMs))
      } else if (watcher !== undefined) {
        // Accepted with this very message, which tells the first by its place; this one is told by its id.
        events.push({ type: 'taskWatched', id, session: watcher, atMs: nowMs })
      }
      continue
    }
    const refused =
      newQueueLimit !== undefined || size > config.queueBytesMax
        ? refusalForGood(config, session, newQueueLimit, { ref, index })
        : tasksHeld + 1 > config.queueTasksMax
          ? 'queueTasksMax'
          : bytesHeld + size > config.queueBytesMax
            ? 'queueBytesMax'
            : tasksLeft < 1
              ? 'tasksMax'
              : bytesLeft < size
                ? 'bytesMax'
                : ownerHolds + 1 > config.principalTasksMax
                  ? 'principalTasksMax'
                  : undefined
    if (refused === undefined) {
      tasksHeld += 1
      bytesHeld += size
      tasksLeft -= 1
      bytesLeft -= size
      ownerHolds += 1
      seen?.set(id, digests[i] as number)
      continue
    }
    acceptBefore(i)
    if (typeof refused === 'object') events.push(refused)
    else {
      const limit = config[refused]
      const isOwn = refused === 'principalTasksMax'
      const message = isOwn
        ? `you have ${limit} unfinished tasks (${refused}): wait until some are finished`
        : `${whatIsFull(command.queue, refused)} (${refused} is ${limit}): try again later`
      events.push(
        refusal(session, 'busy', message, {
          ref,
          index,
          field: isOwn ? 'principal' : 'queue',
          limit,
          retryAfterMs: retryAfterMs(state, queue, ids.length - i, nowMs),
        }),
      )
    }
  }
  acceptBefore(ids.length)
  return events
}

/** The refusal of a task for which no wait makes room, or whose queue cannot be created. */
function refusalForGood(
  config: EngineConfig,
  session: string | undefined,
  newQueueLimit: NewQueuesLimit | undefined,
  at: { ref: number; index: number },
): EventOf<'refused'> {
  if (newQueueLimit !== undefined) return newQueueRefusal(config, session, newQueueLimit, { ...at, field: 'queue' })
  const limit = config.queueBytesMax
  return refusal(
    session,
    'too_large',
    `the body is larger than a whole queue may hold (queueBytesMax is ${limit} bytes)`,
    {
      ...at,
      field: 'body',
      limit,
    },
  )
}

function whatIsFull(queue: string, limit: keyof EngineConfig): string {
  return limit === 'tasksMax' || limit === 'bytesMax' ? 'the broker is full' : `queue ${queue} is full`
}

function sumOf(bytes: readonly number[]): number {
  let sum = 0
  for (const size of bytes) sum += size
  return sum
}

function isAscending(ids: readonly string[]): boolean {
  for (let i = 1; i < ids.length; i += 1) if ((ids[i] as string) <= (ids[i - 1] as string)) return false
  return true
}

/**
 * The time that a queue needs, at its current rate, to make room for `tasks` more, or to empty completely if that is
 * less.
 */
function retryAfterMs(state: State, queue: Queue | undefined, tasks: number, nowMs: number): number {
  const { retryAfterMsMin, retryAfterMsMax, queueTasksMax } = state.config
  const perSecond = queue ? queue.finishRate.perSecond(nowMs, unfinished(queue) === 0) : 0
  // If the rate is unknown, the answer is a second: long enough to spare the queue, short enough to notice a worker.
  const estimate = perSecond > 0 ? (Math.min(tasks, queueTasksMax) / perSecond) * 1000 : 1000
  return Math.ceil(Math.min(Math.max(estimate, retryAfterMsMin), retryAfterMsMax))
}

export function watch(state: State, { session, ref, ids }: CommandOf<'watch'>, { nowMs }: Env): Event[] {
  const events: Event[] = []
  const seen = new Set<string>()
  ids.forEach((id, index) => {
    if (seen.has(id)) return
    seen.add(id)
    const task = state.tasks.get(id)
    if (!task) events.push(unknownTask(session, id, { ref, index }))
    else events.push(...watched(state, task, session, ref, index, nowMs, events.length))
  })
  return events
}

/**
 * A finished task tells its outcome each time it is asked. An unfinished task notes each watcher once. `pending` is the
 * number of watches that earlier events of the same command may add to the session.
 */
function watched(
  state: State,
  task: Task,
  session: string,
  ref: number,
  index: number,
  atMs: number,
  pending = 0,
): Event[] {
  const holder = state.sessions.get(session)
  if (!holder) return []
  if (isWatching(task, holder) && !isFinished(task)) return []
  const { sessionWatchesMax, principalWatchesMax, retryAfterMsMax } = state.config
  if (!isFinished(task) && holder.watches + pending >= sessionWatchesMax) {
    const message = `the session watches ${sessionWatchesMax} tasks already (sessionWatchesMax): unwatch some first`
    return [refusal(session, 'busy', message, { ref, index, limit: sessionWatchesMax, retryAfterMs: retryAfterMsMax })]
  }
  const ownWatches = holder.owner === undefined ? 0 : (state.watchesOf.get(holder.owner) ?? 0)
  if (!isFinished(task) && ownWatches + pending >= principalWatchesMax) {
    const message = `you watch ${principalWatchesMax} tasks already (principalWatchesMax): unwatch some first`
    const limit = principalWatchesMax
    return [refusal(session, 'busy', message, { ref, index, field: 'principal', limit, retryAfterMs: retryAfterMsMax })]
  }
  const watchers = watchersOf(task)
  if (!watchers.includes(holder) && mayHaveNews(task) && watchers.length >= state.config.watchersMax) {
    // The session is told the present outcome, and nothing of what a redrive may bring.
    if (isFinished(task)) {
      return [
        { type: 'taskWatched', id: task.id, session, atMs },
        { type: 'taskUnwatched', id: task.id, session, atMs },
      ]
    }
    const limit = state.config.watchersMax
    return [
      refusal(
        session,
        'busy',
        `task ${task.id} has no room for another watcher (watchersMax is ${limit}): try again later`,
        {
          ref,
          index,
          limit,
          retryAfterMs: state.config.retryAfterMsMax,
        },
      ),
    ]
  }
  return [{ type: 'taskWatched', id: task.id, session, atMs }]
}

export function unwatch(state: State, { session, ids }: CommandOf<'unwatch'>, { nowMs }: Env): Event[] {
  const holder = state.sessions.get(session)
  return [...new Set(ids)].flatMap((id): Event[] => {
    const task = state.tasks.get(id)
    return holder && task && watchersOf(task).includes(holder)
      ? [{ type: 'taskUnwatched', id, session, atMs: nowMs }]
      : []
  })
}

export function cancel(state: State, { session, ref, ids }: CommandOf<'cancel'>, { nowMs }: Env): Event[] {
  const events: Event[] = []
  const finishing = new Map<Queue, number[]>()
  const seen = new Set<string>()
  ids.forEach((id, index) => {
    const task = state.tasks.get(id)
    if (!task) {
      events.push(unknownTask(session, id, { ref, index }))
    } else if (task.phase.state === 'succeeded' || task.phase.state === 'dead') {
      events.push(refusal(session, 'task_finished', `task ${id} is already ${task.phase.state}`, { ref, index }))
    } else if (task.phase.state !== 'cancelled' && !seen.has(id)) {
      seen.add(id)
      joiningOf(finishing, task.queue).push(task.seq)
      const forgetAtMs = nowMs + task.options.resultTtlMs
      events.push({ type: 'taskCancelled', id, forgetAtMs, ...revokedOf(task), atMs: nowMs })
    }
  })
  for (const [{ done }, joining] of finishing)
    events.push(...trimmed(done, joining, state.config.queueResultsMax, nowMs))
  return events
}

export function redrive(state: State, { ids }: CommandOf<'redrive'>, { nowMs }: Env): Event[] {
  const room = new Map<Queue, { tasks: number; bytes: number }>()
  const roomOf = new Map<string | undefined, number>()
  return [...new Set(ids)].map((id): Event => {
    const task = deadLetter(state, id, ids)
    if ('type' in task) return task
    const { queue } = task
    const left = room.get(queue) ?? {
      tasks: state.config.queueTasksMax - unfinished(queue),
      bytes: state.config.queueBytesMax - queue.bytes,
    }
    room.set(queue, left)
    if (left.tasks < 1 || left.bytes < task.bytes) {
      return refusal(undefined, 'busy', `queue ${queue.name} is full: try again later`, {
        index: ids.indexOf(id),
        retryAfterMs: retryAfterMs(state, queue, 1, nowMs),
      })
    }
    const { owner } = task.acceptance
    const { principalTasksMax } = state.config
    const own = roomOf.get(owner) ?? roomOfOwner(state, owner)
    if (own < 1) {
      const message = `the owner of task ${id} has ${principalTasksMax} unfinished tasks (principalTasksMax): try again later`
      return refusal(undefined, 'busy', message, {
        index: ids.indexOf(id),
        limit: principalTasksMax,
        retryAfterMs: retryAfterMs(state, queue, 1, nowMs),
      })
    }
    roomOf.set(owner, own - 1)
    left.tasks -= 1
    left.bytes -= task.bytes
    return { type: 'taskRedriven', id, atMs: nowMs }
  })
}

/** How many unfinished tasks a principal may have besides its own. */
function roomOfOwner({ unfinishedOf, config }: State, owner: string | undefined): number {
  return owner === undefined ? Number.POSITIVE_INFINITY : config.principalTasksMax - (unfinishedOf.get(owner) ?? 0)
}

export function forget(state: State, { ids }: CommandOf<'forget'>, { nowMs }: Env): Event[] {
  return [...new Set(ids)].map((id): Event => {
    const task = deadLetter(state, id, ids)
    return 'type' in task ? task : { type: 'taskForgotten', id, atMs: nowMs }
  })
}

export function dropRecords(state: State, { queue: name, max }: CommandOf<'dropRecords'>, { nowMs }: Env): Event[] {
  const queue = state.queues.get(name)
  const records: number[] = []
  for (const { head } of queue ? [queue.done, queue.dead] : [])
    for (let task = head; task && records.length < max; task = task.next) records.push(task.seq)
  return records.length > 0 ? [{ type: 'oldestForgotten', tasks: records, atMs: nowMs }] : []
}

/** The dead letter of this id, or why there is none. */
function deadLetter(state: State, id: string, ids: readonly string[]): Task | EventOf<'refused'> {
  const task = state.tasks.get(id)
  const index = ids.indexOf(id)
  if (!task) return unknownTask(undefined, id, { index })
  if (task.phase.state === 'dead') return task
  return refusal(undefined, 'task_finished', `task ${id} is ${task.phase.state}, and no dead letter`, { index })
}
