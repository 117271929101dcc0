import type { Logger } from './logger.ts'

/** A queue that is full for this long is told of, in ms. */
const PATIENCE_MS = 2000

/** The queues that have no room for what waits here, so that a wait for room is seen: one warning for each, and a line at its end. */
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
