import { type Logger, safeLogger } from '@sluice/client'

/** What is drained when the process is told to leave. */
interface Drainable {
  drain(options: { graceMs: number }): Promise<void>
}

/** SIGHUP: the terminal was closed. */
const SIGNALS = { SIGTERM: 15, SIGINT: 2, SIGHUP: 1 } as const

/** A package manager passes Ctrl-C on to a process that the terminal has told already: both are one request. */
const SAME_REQUEST_MS = 500

/** Those that the process still waits for before it leaves. */
const draining = new Set<Drainable>()

/**
 * On SIGTERM, SIGINT or SIGHUP: drains the worker, then leaves with exit code 0, once all workers of the process that drain have left. What is
 * not finished after `graceMs` is handed back. A further signal, half a second later at least, leaves at once with 128 + its
 * number; leases then end by their time.
 *
 * @returns removes the handlers again
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
