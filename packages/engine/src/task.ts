import type { TaskStateName } from '@sluice/protocol'
import type { Acceptance, Past, Phase, Queue, Session, Submission, Task } from './entities.ts'
import type { TaskOptions } from './events.ts'

/** One object shared by all tasks that were ready at once, even in a backlog of a million. */
export const READY: Phase = Object.freeze({ state: 'ready', behind: 0 })

const NO_PAST: Past = Object.freeze({ releases: 0, history: [], progress: undefined, bytes: 0 })

/**
 * A task that has just been accepted. It is an object literal because V8 tracks the lifetime of literals, but not
 * that of a class's objects.
 */
export function createTask(
  id: string,
  seq: number,
  queue: Queue,
  options: TaskOptions,
  acceptance: Acceptance,
  submission: Submission | null,
  body: number,
  bytes: number,
  digest: number,
): Task {
  return {
    id,
    queue,
    seq,
    acceptance,
    submission,
    options,
    bodyHigh: high(body),
    bodyLow: low(body),
    bytes,
    digest,
    resultHigh: 0,
    resultLow: 0,
    resultBytes: 0,
    started: false,
    attempts: 0,
    past: NO_PAST,
    watchers: null,
    phase: READY,
    lease: 0,
    heapIndex: -1,
    next: null,
    prev: null,
    row: -1,
  }
}

/** Splits every reference to a body into two numbers of less than 31 bits. */
const HALF = 2 ** 30

function high(ref: number): number {
  return Math.floor(ref / HALF)
}

function low(ref: number): number {
  return ref - high(ref) * HALF
}

/** The reference to where the host stored the body. Opaque to the engine. */
export function bodyOf(task: Task): number {
  return task.bodyHigh * HALF + task.bodyLow
}

export function setBodyRef(task: Task, ref: number): void {
  task.bodyHigh = high(ref)
  task.bodyLow = low(ref)
}

/** The reference to where the host stored the result of a succeeded task. Opaque to the engine. */
export function resultOf(task: Task): number {
  return task.resultHigh * HALF + task.resultLow
}

export function setResultRef(task: Task, ref: number, bytes: number): void {
  task.resultHigh = high(ref)
  task.resultLow = low(ref)
  task.resultBytes = bytes
}

/** When `tick` must look at a task; infinite if nothing will become due. */
export function deadlineOf(task: Task): number {
  const { phase } = task
  switch (phase.state) {
    case 'ready':
      return expiresUnstartedAtMs(task)
    case 'delayed':
      return Math.min(phase.readyAtMs, expiresUnstartedAtMs(task))
    case 'leased':
      return phase.expiresAtMs
    default:
      return phase.forgetAtMs
  }
}

function expiresUnstartedAtMs({ started, options, acceptance }: Task): number {
  return started || options.ttlMs === 0 ? Number.POSITIVE_INFINITY : acceptance.atMs + options.ttlMs
}

export function attemptsMax(task: Task): number {
  return task.options.retry.kind === 'none' ? 1 : task.options.retry.attemptsMax
}

export function isFinished(task: Task): boolean {
  const { state } = task.phase
  return state === 'succeeded' || state === 'dead' || state === 'cancelled'
}

/** Whether more can happen to a task. A dead letter may be redriven; other outcomes are final. */
export function mayHaveNews(task: Task): boolean {
  return task.phase.state !== 'succeeded' && task.phase.state !== 'cancelled'
}

/** Whether a session watches a task by its id. */
export function isWatching(task: Task, session: Session): boolean {
  return task.watchers === session || (Array.isArray(task.watchers) && task.watchers.includes(session))
}

/** The open sessions that watch a task. */
export function watchersOf(task: Task): readonly Session[] {
  const sessions = new Set([task.submission?.session ?? [], task.watchers ?? []].flat())
  return [...sessions].filter((session) => session.phase !== 'closed')
}

export function stateNameOf(task: Task): TaskStateName {
  return task.phase.state
}
