import type { CommandOf, Env } from './commands.ts'
import { endAttempt, handBack, joiningOf, type ResultBytes, trimmed, trimmedDead } from './decide-attempt.ts'
import type { Queue, Task } from './entities.ts'
import type { Event } from './events.ts'
import { roomMade } from './make-room.ts'
import { refusal } from './refusal.ts'
import { retryDelayMs } from './retry.ts'
import type { State } from './state.ts'

/**
 * Commands of workers about their leases. A lease is looked up only among the session's own, so no session can settle
 * another's lease.
 */

export function complete(state: State, command: CommandOf<'complete'>, { nowMs }: Env): Event[] {
  const { session, ref, leases, bytes, contentType } = command
  const events: Event[] = []
  const held = state.sessions.get(session)?.leases
  // Strictly increasing leases, as of tasks that end in order, cannot repeat within the message.
  const seen = isAscending(leases) ? undefined : new Set<number>()
  const finishing = new Map<Queue, number[]>()
  let queue: Queue | undefined
  let joining: number[] = []
  let tasks: number[] = []
  // The index of the first task of the current run of successes, and the bytes of all results before it.
  let first = 0
  let firstAt = 0
  let at = 0
  const succeedBefore = (end: number): void => {
    if (end > first)
      events.push({
        type: 'tasksSucceeded',
        tasks,
        contentType,
        result: firstAt,
        bytes: bytes.slice(first, end),
        atMs: nowMs,
      })
    tasks = []
    first = end + 1
    firstAt = at
  }
  for (let i = 0; i < leases.length; i += 1) {
    const lease = leases[i] as number
    at += bytes[i] as number
    const task = held?.get(lease)
    if (!task || seen?.has(lease)) {
      succeedBefore(i)
      events.push(leaseLost(session, ref, command.index + i, lease))
      continue
    }
    seen?.add(lease)
    tasks.push(task.seq)
    if (task.queue !== queue) {
      queue = task.queue
      joining = joiningOf(finishing, queue)
    }
    joining.push(task.seq)
  }
  succeedBefore(leases.length)
  const { queueResultsMax, queueResultBytesMax, bytesMax } = state.config
  for (const [{ done, resultBytes }, joined] of finishing) {
    // This sum includes results of other queues and refused results. If even the sum is within the bound, there is
    // nothing to trim.
    const results =
      resultBytes + at > queueResultBytesMax
        ? resultBytesOf(joined, events, resultBytes - queueResultBytesMax)
        : undefined
    events.push(...trimmed(done, joined, queueResultsMax, nowMs, results))
  }
  // Results are never refused: if they exceed the bound over all queues, older records are dropped. Records that the
  // bound of their own queue drops must not be named twice.
  const surplus = state.bytes + at - bytesMax
  if (surplus > 0 && !events.some(({ type }) => type === 'oldestForgotten'))
    events.push(...roomMade(state, 0, surplus, nowMs).events)
  return events
}

/** `surplus`: the bytes past the bound, without the tasks that join. */
function resultBytesOf(joined: readonly number[], events: readonly Event[], surplus: number): ResultBytes {
  const sizes = new Map<number, number>()
  for (const event of events) {
    if (event.type !== 'tasksSucceeded') continue
    for (const [i, seq] of event.tasks.entries()) sizes.set(seq, event.bytes[i] as number)
  }
  const joining = joined.map((seq) => sizes.get(seq) as number)
  return { surplus: joining.reduce((sum, size) => sum + size, surplus), joining }
}

function isAscending(leases: readonly number[]): boolean {
  for (let i = 1; i < leases.length; i += 1) if ((leases[i] as number) <= (leases[i - 1] as number)) return false
  return true
}

export function fail(state: State, { session, ref, failures }: CommandOf<'fail'>, env: Env): Event[] {
  const events = forEachLease(state, session, ref, failures, ({ lease: _, ...failure }, task) =>
    endAttempt(
      state,
      task,
      {
        how: 'failed',
        error: failure.error,
        retryable: failure.retryable ?? true,
        retryAfterMs: failure.retryAfterMs ?? retryDelayMs(task.options.retry, task.attempts, env.random),
      },
      env,
    ),
  )
  return [...events, ...trimmedDead(state, events, env.nowMs)]
}

export function release(state: State, { session, ref, leases }: CommandOf<'release'>, env: Env): Event[] {
  const items = leases.map((lease) => ({ lease }))
  const events = forEachLease(state, session, ref, items, (_, task) => handBack(state, task, env))
  return [...events, ...trimmedDead(state, events, env.nowMs)]
}

function forEachLease<T extends { lease: number }>(
  state: State,
  session: string,
  ref: number,
  items: readonly T[],
  settle: (item: T, task: Task) => Event,
): Event[] {
  const leases = state.sessions.get(session)?.leases
  const seen = new Set<number>()
  return items.map((item, index) => {
    const task = leases?.get(item.lease)
    if (!task || seen.has(item.lease)) return leaseLost(session, ref, index, item.lease)
    seen.add(item.lease)
    return settle(item, task)
  })
}

function leaseLost(session: string, ref: number, index: number, lease: number): Event {
  return refusal(session, 'lease_lost', `this session does not hold lease ${lease}: discard its result`, {
    ref,
    index,
    field: 'lease',
  })
}

/** Leases that the session does not hold cause no event. The host answers with the ones that are missing. */
export function heartbeat(state: State, { session, leases }: CommandOf<'heartbeat'>, { nowMs }: Env): Event[] {
  const held = state.sessions.get(session)?.leases
  const renewed = leases.filter((lease) => held?.has(lease))
  return renewed.length === 0 ? [] : [{ type: 'leasesRenewed', session, leases: renewed, atMs: nowMs }]
}

export function reportProgress(
  state: State,
  { session, updates }: CommandOf<'reportProgress'>,
  { nowMs }: Env,
): Event[] {
  const held = state.sessions.get(session)?.leases
  return updates.flatMap(({ lease, progress }): Event[] => {
    const task = held?.get(lease)
    return task ? [{ type: 'progressReported', id: task.id, progress, atMs: nowMs }] : []
  })
}
