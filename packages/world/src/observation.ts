import type { DeadLetter, Health, QueueStats, TaskDetails, WorkerStats } from '@sluice/broker/core'
import type { StoredState } from '@sluice/client/outbox'
import type { Event, State } from '@sluice/engine'
import type { Transition } from '@sluice/machines/states'
import type { BrokerMessage, ClientMessage, TaskFailure, WireError } from '@sluice/protocol'
import type { Change } from './change.ts'
import type { Fault } from './fault.ts'
import type { Scenario } from './scenario.ts'

/** What a producer's program waits for: the end of its submission, or the answer to another request. */
export interface Awaited {
  readonly node: string
  readonly id: string
  readonly what: 'submission' | 'resubmission' | 'cancellation'
}

/** An item of an outbox as it is stored. `code`: why it is parked or has failed. */
export interface StoredItem {
  readonly id: string
  readonly seq: number
  readonly state: StoredState
  readonly orderingKey?: string
  readonly intent?: string
  readonly code?: string
}

/** What a handler has thrown. */
export interface Thrown {
  readonly name: string
  readonly message: string
  readonly retryable?: boolean
  readonly retryAfterMs?: number
}

/**
 * What was observed at one time. Checkers judge this stream, a story is told from it, and the hash of a run is taken
 * over it. `atMs` is world time, which no node knows.
 */
export type Observation = { atMs: number } & (
  | { type: 'worldStarted'; seed: number; scenario: Scenario }
  /** A hand has changed the world. */
  | { type: 'changed'; change: Change }
  | { type: 'faultStarted'; fault: Fault; number: number }
  | { type: 'faultEnded'; number: number }
  | { type: 'nodeStarted'; node: string; incarnation: number }
  /** `left`: in good order; `crashed`: at once; `failed`: gave up by itself, with the reason. */
  | { type: 'nodeStopped'; node: string; how: 'left' | 'crashed' | 'failed'; reason?: string }

  // ─── what producers saw ──────────────────────────────────────────────────────────────────────────────────────────
  /** Before anything has left. `attempt` counts submissions of one wish by an impatient producer, from 1. */
  | { type: 'submitting'; node: string; id: string; queue: string; body: string; attempt: number }
  | { type: 'accepted'; node: string; id: string }
  | { type: 'refused'; node: string; id: string; error: WireError | { code: 'closed'; message: string } }
  | { type: 'outcome'; node: string; id: string; status: 'succeeded'; result: string }
  | { type: 'outcome'; node: string; id: string; status: 'dead'; reason: string; failure?: TaskFailure }
  | { type: 'outcome'; node: string; id: string; status: 'cancelled' }
  /** The client gave no outcome and says why: closed, or the record is gone. */
  | { type: 'outcomeUnknown'; node: string; id: string; code: string }
  /** `request`: the number of an operator's request. */
  | { type: 'cancelling'; node: string; id: string; request?: number }
  | { type: 'cancelAnswered'; node: string; id: string; request?: number; code: 'cancelled' | string }
  | { type: 'progressSeen'; node: string; id: string; progress: unknown }

  /** An operator redrives dead letters. */
  | { type: 'redriving'; node: string; ids: readonly string[] }
  /** How many were redriven, as the operator was told. */
  | { type: 'redriven'; node: string; ids: readonly string[]; count: number }
  /** An operator has looked at the broker as a whole. */
  | {
      type: 'viewed'
      node: string
      health: Health
      queues: readonly QueueStats[]
      workers: readonly WorkerStats[]
    }
  /** An operator has looked at all dead letters, of a queue or of all, in pages of this size. */
  | { type: 'listed'; node: string; queue?: string; limit: number; pages: readonly (readonly DeadLetter[])[] }
  /** An operator asks for a task and is answered. `request` is its number. */
  | { type: 'asking'; node: string; id: string; request: number }
  | {
      type: 'answered'
      node: string
      id: string
      request: number
      task: Omit<TaskDetails, 'result'> | undefined
    }
  /** An operator asks for the outcome of a task and is answered when there is one or after `ms`. */
  | { type: 'waiting'; node: string; id: string; request: number; ms: number }
  /** `code`: the request was refused. */
  | { type: 'waited'; node: string; id: string; request: number; code?: string }

  // ─── what tabs saw ───────────────────────────────────────────────────────────────────────────────────────────────
  /** This tab of the device sends from now on. */
  | { type: 'leading'; node: string; device: string }
  /** A submission has resolved: the item is saved, or is only in the memory of its tab. */
  | { type: 'saved'; node: string; device: string; id: string; isSaved: boolean }
  /** A submission was rejected. */
  | { type: 'unsaved'; node: string; id: string; code: string }
  /** The wish to cancel counts as saved. */
  | { type: 'cancelSaved'; node: string; id: string }
  /** What becomes of a parked item. */
  | { type: 'deciding'; node: string; id: string; what: 'retry' | 'discard' }

  // ─── what the storage of a device did ────────────────────────────────────────────────────────────────────────────
  /** A transaction has happened, with these items as they are afterwards. A strict one saves all before it as well. */
  | {
      type: 'stored'
      node: string
      durability: 'strict' | 'relaxed'
      items: readonly StoredItem[]
      removed: readonly string[]
    }
  /** The last relaxed transactions are undone. */
  | { type: 'storeReverted'; node: string; items: readonly StoredItem[]; removed: readonly string[] }

  // ─── what handlers saw ───────────────────────────────────────────────────────────────────────────────────────────
  | { type: 'handlerStarted'; node: string; id: string; queue: string; attempt: number; body: string; run: number }
  | { type: 'handlerAborted'; node: string; id: string; run: number; reason: string }
  | {
      type: 'handlerEnded'
      node: string
      id: string
      run: number
      how: 'returned' | 'threw'
      result?: string
      thrown?: Thrown
    }

  // ─── what passed on the wire ─────────────────────────────────────────────────────────────────────────────────────
  /** A client has asked for a connection, which later is open (`connected`) or has failed (`connectFailed`). */
  | { type: 'connecting'; node: string; connection: number }
  | { type: 'connectFailed'; node: string; connection: number }
  | { type: 'connected'; node: string; connection: number }
  | { type: 'disconnected'; node: string; connection: number; side: 'node' | 'broker'; code: number }
  /** A frame is passed to a socket, which now holds this many bytes that have not left. Its messages follow. */
  | {
      type: 'frame'
      node: string
      connection: number
      by: 'node' | 'broker'
      bytes: number
      messages: number
      buffered: number
    }
  /** Passed to the socket. */
  | { type: 'sentToBroker'; node: string; connection: number; message: ClientMessage }
  | { type: 'sentByBroker'; node: string; connection: number; message: BrokerMessage }
  /** Passed to the program on the other side. */
  | { type: 'heardByBroker'; node: string; connection: number; message: ClientMessage }
  | { type: 'heardByNode'; node: string; connection: number; message: BrokerMessage }

  /** Passed to the socket by this side, and no frame of the protocol. */
  | { type: 'unreadable'; node: string; connection: number; by: 'node' | 'broker'; error: string }
  /**
   * Faults and arrivals have been over for as long as needed, or for `settleMs`: the ids of tasks without an outcome,
   * and who waits for what.
   */
  | { type: 'calmEnded'; unfinished: readonly string[]; waiting: readonly Awaited[] }
  /**
   * All nodes have left. This many `timers` (also of programs that had left in good order) and `connections` remain.
   */
  | { type: 'worldEnded'; timers: number; connections: number }

  /** A chart of a program has taken an event. Made only if `watchesTransitions` is set. */
  | ({ type: 'transition'; node: string } & Transition)

  // ─── what the journal was given ──────────────────────────────────────────────────────────────────────────────────
  | { type: 'appending'; batch: number; events: readonly Event[] }
  /** The append has returned or resolved: the broker may tell its events. */
  | { type: 'appended'; batch: number }
  /** Found when the log is read: this batch and those after it are missing; `torn` if a part of it was there. */
  | { type: 'lost'; fromBatch: number; torn: boolean }
  /** The log was read: its batches (none if `firstBatch` is `lastBatch` + 1). The state is made only of these. */
  | { type: 'recovered'; incarnation: number; firstBatch: number; lastBatch: number }
  /** Every batch below this one is forgotten. A loss of power may bring some back. */
  | { type: 'discarded'; before: number }
)

/** What a node or the journal reports. The recorder adds the time. */
export type ObservationBody = Observation extends infer One
  ? One extends Observation
    ? Omit<One, 'atMs'>
    : never
  : never

export type ObservationType = Observation['type']
export type ObservationOf<T extends ObservationType> = Extract<Observation, { type: T }>

/** What the broker's host holds besides the engine's state. */
export interface Holdings {
  readonly connections: number
  /** Connections without a session. */
  readonly pendingConnections: number
  /** Requests over HTTP that wait for an outcome. */
  readonly waiters: number
  readonly cachedBytes: number
}

/** What checkers may look at besides the stream. They only read it. */
export interface Surroundings {
  /** Undefined while no broker runs. */
  readonly held: Holdings | undefined
  /** The engine's live state; undefined while no broker runs. */
  readonly state: State | undefined
  /** By the broker's clock; undefined while no broker runs. */
  readonly brokerMs: number | undefined
}

export interface Violation {
  /** From SPEC.md or PROTOCOL.md, such as `LEASE-3`. */
  rule: string
  atMs: number
  /** One sentence. */
  message: string
  /** The tasks, nodes and leases that the story is about. */
  about: { ids?: readonly string[]; nodes?: readonly string[] }
}

/** Reports that a rule is broken: the checker's own if none is named. */
export type Violate = (message: string, about: Violation['about'], rule?: string) => void

/** Judges a run by its observations. One file, one promise. */
export interface Checker {
  /** From SPEC.md or PROTOCOL.md. */
  readonly rule: string
  see(observation: Observation, surroundings: Surroundings, violate: Violate): void
  /** Called when the world has come to rest. */
  finish?(surroundings: Surroundings, violate: Violate): void
}
