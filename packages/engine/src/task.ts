import type { DeadReason, TaskFailure } from '@sluice/protocol'
import type { AttemptRecord, TaskOptions } from './events.ts'
import type { HeapItem } from './indexed-heap.ts'
import type { Queue, Session, Submission } from './state.ts'

/** What a task is in, with only the fields that make sense there; tasks that got there together share it. */
export type Phase =
  | { readonly state: 'delayed'; readonly readyAtMs: number }
  /** `behind`: the newest task, by number, that it waits behind because its delay ended only then; 0 where it had none. */
  | { readonly state: 'ready'; readonly behind: number }
  | { readonly state: 'leased'; readonly session: Session; readonly expiresAtMs: number }
  | { readonly state: 'succeeded'; readonly contentType: string | undefined; readonly forgetAtMs: number }
  | {
      readonly state: 'dead'
      readonly reason: DeadReason
      readonly error: TaskFailure | undefined
      readonly forgetAtMs: number
    }
  | { readonly state: 'cancelled'; readonly forgetAtMs: number }

export type PhaseOf<S extends Phase['state']> = Extract<Phase, { state: S }>

/** One object for every task that was ready at once: a backlog of a million holds it once. */
export const READY: Phase = Object.freeze({ state: 'ready', behind: 0 })

/** What tasks that were accepted together have in common, besides what is asked for too often for a detour. */
export interface Acceptance {
  readonly atMs: number
  readonly contentType: string | undefined
}

/** What few tasks have to tell. */
export interface Past {
  /** How often it has been handed back. */
  readonly releases: number
  readonly history: readonly AttemptRecord[]
  /** The latest that a handler has reported. */
  readonly progress: unknown
}

const NO_PAST: Past = Object.freeze({ releases: 0, history: [], progress: undefined })

/**
 * A task as the engine knows it: everything but its body. Written by `evolve` alone.
 *
 * There may be millions of them, and each lives through several garbage collections, a quarter of what a busy broker does.
 * So what tasks share they share, and no field holds a number of more than 31 bits while fewer tasks and leases have been
 * counted than that: it would be an object of its own. Instants are in what is shared, and where bodies are is kept in
 * halves.
 */
export interface Task extends HeapItem {
  readonly id: string
  readonly queue: Queue
  /** Its place in the order of acceptance: the number by which events name it. */
  readonly seq: number
  readonly acceptance: Acceptance
  /** The submission that brought it, where its session wants to hear of it. */
  submission: Submission | null
  readonly options: TaskOptions
  /** Where the host stored the body, in halves; see `bodyOf`. */
  bodyHigh: number
  bodyLow: number
  readonly bytes: number
  readonly digest: number
  /** Where the host stored the result, in halves, and its size; meaningful once the task has succeeded. See `resultOf`. */
  resultHigh: number
  resultLow: number
  resultBytes: number
  started: boolean
  /** Deliveries that count. */
  attempts: number
  past: Past
  /** Sessions that asked for it by its id. */
  watchers: Session | Session[] | null
  phase: Phase
  /** Its latest lease; meaningful while it is leased. */
  lease: number
  next: Task | null
  prev: Task | null
  /** Its place in the table of tasks. Written by the table alone. */
  slot: number
}

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
