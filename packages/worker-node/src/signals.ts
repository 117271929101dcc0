import { type Logger, silentLogger } from '@sluice/client'

/** What is drained when the process is told to leave. */
interface Drainable {
  drain(options: { graceMs: number }): Promise<void>
}

const SIGNALS = { SIGTERM: 15, SIGINT: 2 } as const

/** Those that the process still waits for before it leaves. */
const draining = new Set<Drainable>()

/**
 * On SIGTERM or SIGINT: drains the worker, then leaves with exit code 0, once all workers of the process that drain have left. What is
 * not finished after `graceMs` is handed back. A second signal leaves at once with 128 + its number; leases then end by their time.
 *
 * @returns removes the handlers again
 */
export function drainOnSignals(worker: Drainable, options: { graceMs: number; logger?: Logger }): () => void {
  const { graceMs, logger = silentLogger } = options
  let leaving = false
  const leave = (signal: keyof typeof SIGNALS) => {
    if (leaving) {
      logger.warn({ signal }, 'told to leave again: leaving at once, leases will run out')
      process.exit(128 + SIGNALS[signal])
    }
    leaving = true
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
