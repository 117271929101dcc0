// What programs see of the machines. It stands apart from the charts, so that no type of XState reaches those programs.

/** All in ms. */
export interface ConnectionTimings {
  /** From the start of a connection attempt to its open socket. Default 10,000. */
  connectTimeoutMs: number
  /** From the open socket to `welcome`. Default 10,000. */
  helloTimeoutMs: number
  /** The first back-off is drawn from 0 to this. Default 250. */
  backoffMs: number
  /**
   * The upper limit of each back-off. Default 10,000. A broker that must keep many clients away for longer sends
   * `retryAfterMs`.
   */
  backoffMsMax: number
  /** The back-off starts over when a connection has been ready for this long. Default 10,000. */
  stableMs: number
}

/** The states that a program sees. */
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
 * - `starting`: the worker has never been connected.
 * - `working`: it takes deliveries. A lost connection does not end this, since leases outlive connections.
 * - `draining`: its credit is 0, and running handlers may finish.
 * - `aborting`: the grace is over. Running work was handed back, and the worker waits for the answers.
 * - `stopped`: it holds nothing and has left.
 */
export type WorkerState = 'starting' | 'working' | 'draining' | 'aborting' | 'stopped'

/**
 * A worker in a browser tab, as its page sees it.
 * - `asking`: the person has not agreed that the tab works. There is no connection and no Worker.
 * - `off`: the tab may work, and the page does not want it to. There is no connection and no Worker.
 * - `connecting`: it has no connection to the broker, or no handler can run yet.
 * - `working`: it takes tasks.
 * - `paused`: there are reasons not to work now. Running handlers may finish; then it leaves the broker.
 * - `draining`: it leaves for good when the running handlers have finished.
 * - `failed`: trying again by itself could not help. It has left.
 * - `stopped`: it has left for good. Nothing of it remains.
 */
export type TabWorkerState = 'asking' | 'off' | 'connecting' | 'working' | 'paused' | 'draining' | 'failed' | 'stopped'

/**
 * A session as its broker sees it, across the connections that carry it.
 * - `awaitingHello`: the connection has not sent its hello. There is no session yet.
 * - `authenticating`: the broker checks the token of the hello. What the client sends meanwhile waits.
 * - `connected`: a connection carries the session; see the regions below.
 * - `disconnected`: its leases, credit and watches are kept until the grace window ends.
 * - `closed`: the session is gone and cannot be resumed.
 */
export type SessionState = 'awaitingHello' | 'authenticating' | 'connected' | 'disconnected' | 'closed'

/**
 * Whether the broker reads from the client. It does not while more submissions are unanswered than the submit credit
 * allows.
 */
export type ReadingState = 'reading' | 'paused'

/** Whether tasks are delivered. They are not while the client does not read what it was sent. */
export type DeliveryState = 'flowing' | 'stalled'

/** Whether submissions are accepted. They are not once the client has been told that the broker is leaving. */
export type ServiceState = 'serving' | 'draining'

/** The regions of a connected session. Each connection starts them anew. */
export interface ConnectedState {
  reading: ReadingState
  delivery: DeliveryState
  service: ServiceState
}

/** The state value of `sessionMachine`. */
export type SessionValue = Exclude<SessionState, 'connected'> | { connected: ConnectedState }

/**
 * - `starting`: the broker reads the journal and answers nothing.
 * - `ready`: it accepts, delivers and settles.
 * - `draining`: it accepts and delivers nothing new and takes no connection. Leased tasks may still be settled.
 * - `read_only`: the journal has failed, or an invariant is broken. It acknowledges nothing more. Only a restart helps,
 *   because memory may be ahead of what is stored.
 * - `stopped`: everything is written; every connection and the journal are closed.
 */
export type BrokerState = 'starting' | 'ready' | 'draining' | 'read_only' | 'stopped'

/**
 * An item of the outbox, as an app shows it.
 * - `unsaved`: it is in the memory of one tab and is lost with that tab.
 * - `saved`: it is stored on this device and survives a crash. It will be sent.
 * - `sending`: a connection has it, and the broker has not answered.
 * - `needsAuth`: it waits for a token that the broker accepts.
 * - `accepted`: the broker has made the task durable.
 * - `running`: a worker has reported progress.
 * - `cancelling`: the wish to cancel is stored, and the broker has not confirmed it.
 * - `parked`: it was refused for good. It waits for a decision: retry, discard or export.
 * - `done`, `failed`, `cancelled`: the task has ended.
 * - `discarded`: the item was removed.
 */
export type OutboxItemState =
  | 'unsaved'
  | 'saved'
  | 'sending'
  | 'needsAuth'
  | 'accepted'
  | 'running'
  | 'cancelling'
  | 'parked'
  | 'done'
  | 'failed'
  | 'cancelled'
  | 'discarded'

/** The charts whose transitions a platform may listen to. */
export type ObservedMachine =
  | 'connection'
  | 'producer'
  | 'worker'
  | 'workerSlot'
  | 'outboxItem'
  | 'session'
  | 'broker'
  | 'task'

/**
 * One event that a running chart has taken, as plain data. An event that leads back to the same state is told too, and
 * one that the chart ignores is not. What starts a chart is not told: the first `from` is where it began.
 */
export interface Transition {
  machine: ObservedMachine
  /**
   * The lease of a slot, the id of a task or an item, or the id of a session, which is a secret. Empty for a session
   * that has no id yet, and where a program has only one.
   */
  id: string
  /** The innermost active state, with a dot between a state and what is in it: `ready.fresh`. */
  from: string
  to: string
  /** For a transition that a delay takes, the name of the delay, which ends in `Ms`. */
  event: string
  /** The guard that let the chart take this transition and not another one of the same event. */
  guard?: string
}

/** Receives what the charts of a program do, directly after it happened. It must neither throw nor change anything. */
export type OnTransition = (transition: Transition) => void
