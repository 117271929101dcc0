import type { TaskStateName } from '@sluice/protocol'
import type { Acceptance, Past, Phase, Queue, Session, Submission, Task } from './entities.ts'
import type { TaskOptions } from './events.ts'

/** One object for every task that was ready at once: a backlog of a million holds it once. */
export const READY: Phase = Object.freeze({ state: 'ready', behind: 0 })

const NO_PAST: Past = Object.freeze({ releases: 0, history: [], progress: undefined })

/** A task that has just been accepted. An object literal, because of these V8 notices how long they live, and of a class's objects not. */
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
    slot: -1,
  }
}

/** Splits every place of a body into two numbers of less than 31 bits. */
const HALF = 2 ** 30

function high(place: number): number {
  return Math.floor(place / HALF)
}

function low(place: number): number {
  return place - high(place) * HALF
}

/** Where the host stored the body; opaque to the engine. */
export function bodyOf(task: Task): number {
  return task.bodyHigh * HALF + task.bodyLow
}

export function placeBody(task: Task, place: number): void {
  task.bodyHigh = high(place)
  task.bodyLow = low(place)
}

/** Where the host stored the result of a task that has succeeded; opaque to the engine. */
export function resultOf(task: Task): number {
  return task.resultHigh * HALF + task.resultLow
}

export function placeResult(task: Task, place: number, bytes: number): void {
  task.resultHigh = high(place)
  task.resultLow = low(place)
  task.resultBytes = bytes
}

/** When `tick` has to look at a task: infinite where nothing is due ever. */
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

/** Whether there is anything more to tell of it: a dead letter may be redriven, other outcomes are the last word. */
export function mayHaveNews(task: Task): boolean {
  return task.phase.state !== 'succeeded' && task.phase.state !== 'cancelled'
}

/** Whether a session has asked for a task by its id. */
export function isWatching(task: Task, session: Session): boolean {
  return task.watchers === session || (Array.isArray(task.watchers) && task.watchers.includes(session))
}

/** The sessions that want to hear of a task and have not closed. */
export function watchersOf(task: Task): readonly Session[] {
  const sessions = new Set([task.submission?.session ?? [], task.watchers ?? []].flat())
  return [...sessions].filter((session) => session.phase !== 'closed')
}

export function stateNameOf(task: Task): TaskStateName {
  return task.phase.state
}
