import type { ConnectionState } from '@sluice/machines/states'
import type { BrokerMessage, ClientMessage, Role, Welcome } from '@sluice/protocol'

/** The half of a session that handles the messages. */
export interface SessionOwner {
  readonly role: Role
  /** The leases that are worked on or not yet known to be settled. */
  heldLeases(): number[]
  /** The lease up to which deliveries have begun. Called for each `hello`. A producer has none. */
  begunLease?(): number
  onWelcome(welcome: Welcome): void
  /**
   * Never called with `welcome`, `ping`, `pong` or `drain`.
   * @returns whether the message is for this half
   */
  onMessage(message: BrokerMessage): boolean
  onDrain(retryAfterMs: number): void
  /** The connection is not ready any more. It reconnects by itself. */
  onDisconnected(): void
  /** The connection has ended for good. */
  onFailed(error: Error): void
  onStateChange(state: ConnectionState): void
  /** Called every `heartbeatMs`. Pushes the messages that keep leases alive. */
  onHeartbeat(out: ClientMessage[]): void
  /** Pushes everything that may be sent now. */
  collect(out: ClientMessage[]): void
  /** The number of items that wait to be collected. */
  waiting(): number
}
