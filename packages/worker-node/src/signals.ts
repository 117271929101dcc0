import { type Logger, safeLogger } from '@sluice/client'

/** Something that is drained when the process must leave. */
interface Drainable {
  drain(options: { graceMs: number }): Promise<void>
}

/** SIGHUP: the terminal was closed. */
const SIGNALS = { SIGTERM: 15, SIGINT: 2, SIGHUP: 1 } as const

/** A package manager forwards Ctrl-C to a process that already got it from the terminal. Both count as one request. */
const SAME_REQUEST_MS = 500

/** The drains that the process waits for before it leaves. */
const draining = new Set<Drainable>()

/**
 * On SIGTERM, SIGINT or SIGHUP drains the worker. The process exits with code 0 when all its draining workers have
 * left. Tasks that are not finished after `graceMs` are handed back. A further signal, at least half a second later,
 * exits at once with 128 + its number; the leases then expire.
 * @returns removes the listeners again
 */
export function drainOnSignals(worker: Drainable, options: { graceMs: number; logger?: Logger }): () => void {
  const { graceMs } = options
  const logger = safeLogger(options.logger)
  let leavingSinceMs: number | undefined
  const leave = (signal: keyof typeof SIGNALS) => {
    if (leavingSinceMs !== undefined) {
      if (performance.now() - leavingSinceMs < SAME_REQUEST_MS) return
      logger.warn({ signal }, 'told to leave again: leaving at once, leases will run out')
      process.exit(128 + SIGNALS[signal])
    }
    leavingSinceMs = performance.now()
    logger.info({ signal, graceMs }, 'draining: finishing what runs, handing back the rest')
    draining.add(worker)
    worker.drain({ graceMs }).then(
      () => {
        draining.delete(worker)
        logger.info({}, 'drained')
        if (draining.size === 0) process.exit(0)
      },
      (error: unknown) => {
        logger.error({ err: error }, 'draining failed')
        process.exit(1)
      },
    )
  }
  for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) {
    process.on(signal, leave)
  }
  return () => {
    for (const signal of Object.keys(SIGNALS)) {
      process.off(signal, leave)
    }
  }
}
