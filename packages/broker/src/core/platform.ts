/** Everything the host takes from its surroundings but sockets and the journal. Replace it to run under a virtual clock. */
export interface HostPlatform {
  /** ms since 1970 when the broker started, and monotonic from then on. */
  nowMs(): number
  /** Calls `fn` once after `ms`; the returned function cancels it. */
  setTimer(fn: () => void, ms: number): () => void
  /** Calls `fn` once, after the input that is waiting now has been read: the end of a turn. */
  afterTurn(fn: () => void): void
  /** Uniform in [0, 1). */
  random(): number
  /** 128 unpredictable bits or more, as text. */
  secretId(): string
}

/** A connection as the host needs it. Its adapter calls `Connection.receive`, `emptied` and `closed`. */
export interface Transport {
  /** Where it comes from, as an IP address; left out where there is none. */
  readonly address?: string
  send(frame: string | Uint8Array): void
  close(code: number, reason: string): void
  /** Drops the connection without waiting for the peer. */
  terminate(): void
  /** Bytes given to `send` that have not left yet. */
  readonly bufferedBytes: number
  /** Stop and resume reading: what is not read fills the peer's buffers, and so slows it down. */
  pause(): void
  resume(): void
  /** From now on larger frames may be cut off unread, before they fill memory. */
  limitFrames?(bytes: number): void
}

/** Structured logs, as pino writes them. */
export interface HostLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
