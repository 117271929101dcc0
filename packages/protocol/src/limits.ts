/**
 * Every limit of the wire with its default. A broker states the limits in force in `welcome.limits`. The last word of
 * each name is its unit.
 */
export interface Limits {
  /** Bytes of one WebSocket message, 1 KiB – 64 MiB. */
  frameBytesMax: number
  /** Messages in one frame. */
  frameMessagesMax: number
  /** Items in one message's list: tasks, results, failures, leases, ids. */
  batchItemsMax: number
  /** Bytes of one task body or one result. */
  bodyBytesMax: number
  /** Nesting of objects and arrays in a JSON header or an inline body. */
  depthMax: number
  /** UTF-16 code units of a queue name, a content type, a client name. */
  nameLengthMax: number
  /** UTF-16 code units of an error message or a reason. */
  messageLengthMax: number
  /** UTF-16 code units of an error's stack. */
  stackLengthMax: number
  /** UTF-16 code units of a token. */
  tokenLengthMax: number
  /** Bytes of one progress value as JSON. */
  progressBytesMax: number
  /** Deliveries that one session may hold at once. */
  creditMax: number
  /** Queues that one session may take tasks from. */
  sessionQueuesMax: number
}

export const DEFAULT_LIMITS: Readonly<Limits> = Object.freeze({
  frameBytesMax: 1024 * 1024,
  frameMessagesMax: 1000,
  batchItemsMax: 1000,
  bodyBytesMax: 256 * 1024,
  depthMax: 64,
  nameLengthMax: 128,
  messageLengthMax: 1024,
  stackLengthMax: 8192,
  tokenLengthMax: 8192,
  progressBytesMax: 1024,
  creditMax: 10_000,
  sessionQueuesMax: 64,
})

/**
 * Leases that a client may name when it resumes a session. A session may hold more than `creditMax` if a restart has
 * lowered that.
 */
export function resumedLeasesMax({ creditMax }: Limits): number {
  return Math.max(creditMax, DEFAULT_LIMITS.creditMax)
}

/** The longest duration that any field may have: 30 days. */
export const DURATION_MS_MAX = 30 * 24 * 60 * 60 * 1000

/** Bounds of single fields that no broker can change. */
export const PRIORITY_MAX = 9
export const LEASE_MS_MIN = 100
export const LEASE_MS_MAX = 24 * 60 * 60 * 1000
/** The most deliveries that a retry policy may allow. */
export const ATTEMPTS_MAX = 1000
/** Entries of `hello.versions`, and the highest version number. */
export const VERSIONS_MAX = 16
export const VERSION_MAX = 65_535
