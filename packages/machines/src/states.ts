// What programs see of the machines. It stands apart from the charts, so that no type of XState reaches those programs.

/** All in ms. */
export interface ConnectionTimings {
  /** From the start of a connection attempt to its open socket. Default 10,000. */
  connectTimeoutMs: number
  /** From the open socket to `welcome`. Default 10,000. */
  helloTimeoutMs: number
  /** The first back-off is drawn from 0 to this. Default 250. */
  backoffMs: number
  /** No back-off is drawn from more than this. Default 10,000: whoever has to keep a crowd away longer sends `retryAfterMs`. */
  backoffMsMax: number
  /** A connection has to stay ready this long before the back-off starts over. Default 10,000. */
  stableMs: number
}

/** The states a program outside sees. */
export type ConnectionState =
  | 'idle'
  | 'connecting'
  | 'handshaking'
  | 'ready'
  | 'draining'
  | 'backingOff'
  | 'failed'
  | 'stopped'

/**
 * - `starting`: not connected for the first time yet.
 * - `working`: takes deliveries; a lost connection does not end it, since leases outlive connections.
 * - `draining`: credit 0; what runs may finish.
 * - `aborting`: the grace is over; what still ran was handed back, its answers are awaited.
 * - `stopped`: holds nothing and has left.
 */
export type WorkerState = 'starting' | 'working' | 'draining' | 'aborting' | 'stopped'

/**
 * A session as its broker sees it, across the connections that carry it.
 *
 * - `awaitingHello`: a connection that has not said who it is. There is no session yet.
 * - `connected`: a connection carries it; see the regions below.
 * - `disconnected`: its leases, credit and watches wait for it until the grace window ends.
 * - `closed`: it is gone, and nothing of it can be resumed.
 */
export type SessionState = 'awaitingHello' | 'connected' | 'disconnected' | 'closed'

/** Whether the broker reads what the client sends: not while more submissions are unanswered than its credit allows. */
export type ReadingState = 'reading' | 'paused'

/** Whether tasks are delivered: not while the client does not read what it was sent. */
export type DeliveryState = 'flowing' | 'stalled'

/** Whether submissions are taken: not once the client has been told that the broker leaves. */
export type ServiceState = 'serving' | 'draining'

/** What a connected session is besides; all of it begins anew with each connection. */
export interface ConnectedState {
  reading: ReadingState
  delivery: DeliveryState
  service: ServiceState
}

/** What `sessionMachine` has as its state value. */
export type SessionValue = Exclude<SessionState, 'connected'> | { connected: ConnectedState }

/**
 * - `starting`: the journal is being read; nothing is answered.
 * - `ready`: accepts, delivers and settles.
 * - `draining`: accepts and delivers nothing new and takes no connection; what is in work may still be settled.
 * - `read_only`: the journal has failed, or an invariant is broken. Nothing is acknowledged any more, and only a restart
 *   helps: what memory holds may be ahead of what is stored.
 * - `stopped`: everything is written, every connection and the journal are closed.
 */
export type BrokerState = 'starting' | 'ready' | 'draining' | 'read_only' | 'stopped'
