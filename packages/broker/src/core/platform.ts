import type { OnTransition } from '@sluice/machines/states'

/**
 * What the host needs from its environment, besides sockets and the journal. Replace it to run under a virtual clock.
 */
export interface HostPlatform {
  /** ms since 1970 when the broker starts, and monotonic from then on. */
  nowMs(): number
  /** Calls `fn` once after `ms`. The returned function cancels it. */
  setTimer(fn: () => void, ms: number): () => void
  /** Calls `fn` once, after the input that is waiting now has been read. This ends a turn. */
  afterTurn(fn: () => void): void
  /** A uniform number in [0, 1). */
  random(): number
  /** At least 128 unpredictable bits, as text. */
  secretId(): string
  /** Is told what every chart of the broker does: its own, those of sessions and those of tasks. */
  onTransition?: OnTransition | undefined
}

/** A connection as the host sees it. Its adapter calls `Connection.receive`, `emptied` and `closed`. */
export interface Transport {
  /** The IP address of the peer. Absent if there is none. */
  readonly address?: string
  send(frame: string | Uint8Array): void
  close(code: number, reason: string): void
  /** Drops the connection without waiting for the peer. */
  terminate(): void
  /** Bytes given to `send` that have not been sent yet. */
  readonly bufferedBytes: number
  /** Pauses and resumes reading. Unread input fills the peer's buffers and so slows the peer down. */
  pause(): void
  resume(): void
  /** From now on larger frames may be cut off unread, before they fill memory. */
  limitFrames?(bytes: number): void
}

/** Structured logs, in the form of pino. */
export interface HostLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
