import type { ConnectionState, ConnectionTimings, Failure, WorkerStats } from '@sluice/client'
import type { Labels } from '@sluice/protocol'

/** What the connection Worker needs to know before it does anything. */
export interface ConnectionSettings {
  url: string
  name: string
  /** The labels that the app has set. */
  labels: Labels
  queues: string[]
  /** The number of handler Workers. */
  size: number
  /** Undefined: as many as handlers may run. Not used while `cpuShare` is less than 1. */
  prefetch: number | undefined
  cpuShare: number
  abortGraceMs: number
  /** `true`: the page is asked for a token before each connection. */
  token: string | true | undefined
  timings: Partial<ConnectionTimings> | undefined
}

/** The messages from the page to the connection Worker. */
export type PageMessage =
  | { type: 'settings'; settings: ConnectionSettings }
  /** Take tasks. */
  | { type: 'work' }
  /** Take no more tasks. Leave when the running handlers have finished. */
  | { type: 'pause' }
  /** Hand back everything and leave now. */
  | { type: 'leave' }
  | { type: 'drain'; graceMs: number }
  | { type: 'share'; cpuShare: number }
  | { type: 'token'; id: number; token: string }
  | { type: 'noToken'; id: number; message: string }
  /** A handler Worker serves; `port` leads to it. */
  | { type: 'serving'; worker: number; port: MessagePort; lock: string }
  /** A handler Worker cannot be used. The page has ended it. */
  | { type: 'unusable'; worker: number; message: string }

/** What the page may show of the work. */
export interface ConnectionStatus {
  connection: ConnectionState
  /** Why it does not work, for people. */
  trouble: string | undefined
  stats: WorkerStats
  /** Handler Workers that run a task or could. */
  ready: number
  /** Handler Workers that rest because of `cpuShare`. */
  resting: number
}

/** The messages from the connection Worker to the page. */
export type ConnectionMessage =
  | { type: 'status'; status: ConnectionStatus }
  /** Make a handler Worker of this number. */
  | { type: 'spawn'; worker: number }
  /** Terminate the handler Worker of this number. */
  | { type: 'end'; worker: number }
  | { type: 'askToken'; id: number }
  | { type: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; fields: object; message: string }
  /** The broker refuses this worker for good. */
  | { type: 'failed'; failure: Failure }
  /** It holds nothing any more, and has no connection. */
  | { type: 'left' }
