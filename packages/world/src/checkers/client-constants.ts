/** What clients keep to of their own accord, as all who judge them take it. */

/** Where a close code says to come back later and nobody said when. */
export const RETRY_AFTER_MS = 1000
/** `heartbeat_timeout`, with which a client closes what it takes for dead. */
export const SILENT_CODE = 4007
/** Timers are no shorter than a millisecond and have a grain. */
export const TIMER_MS = 2
