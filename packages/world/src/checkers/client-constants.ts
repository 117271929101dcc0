/** Constants of the clients that several checkers use. */

/** The delay after a close code that says to come back later without saying when. */
export const RETRY_AFTER_MS = 1000
/** `heartbeat_timeout`: a client closes with it a connection that it takes for dead. */
export const SILENT_CODE = 4007
/** Timers are at least a millisecond and are not exact. */
export const TIMER_MS = 2
