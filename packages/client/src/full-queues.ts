import type { Logger } from './logger.ts'

/** A warning comes when a queue is full for this long, in ms. */
const PATIENCE_MS = 2000

/**
 * Tracks the queues that have no room for waiting submissions, so that a wait is visible: one warning for each queue,
 * and one line when the wait ends.
 */
export class FullQueues {
  readonly #logger: Logger
  readonly #queues = new Map<string, { sinceMs: number; isTold: boolean }>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** `count` submissions were refused for now. */
  refused(queue: string, count: number, why: string, nowMs: number): void {
    const full = this.#queues.get(queue)
    if (full === undefined) this.#queues.set(queue, { sinceMs: nowMs, isTold: false })
    else if (!full.isTold && nowMs - full.sinceMs >= PATIENCE_MS) {
      full.isTold = true
      this.#logger.warn({ queue, count }, `submissions to ${queue} wait for room: ${why}`)
    }
  }

  accepted(queue: string): void {
    if (this.#queues.size === 0) return
    if (this.#queues.get(queue)?.isTold) this.#logger.info({ queue }, `${queue} takes submissions again`)
    this.#queues.delete(queue)
  }
}
