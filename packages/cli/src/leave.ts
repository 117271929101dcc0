import { EXIT } from './exit-code.ts'

/** A package manager forwards Ctrl-C to a process that already got it from the terminal. Both count as one request. */
const SAME_REQUEST_MS = 500

/** Signals that ask a process to leave. SIGHUP: its terminal was closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Calls `leave` at the first such signal, or when the parent that holds this process's channel is gone. A later signal
 * ends the process at once.
 */
export function onLeave(leave: () => void): void {
  let askedAtMs: number | undefined
  const asked = () => {
    const nowMs = performance.now()
    if (askedAtMs === undefined) {
      askedAtMs = nowMs
      leave()
    } else if (nowMs - askedAtMs > SAME_REQUEST_MS) {
      process.exit(EXIT.interrupted)
    }
  }
  for (const signal of SIGNALS) process.on(signal, asked)
}

/** Aborts at the first signal that asks the process to leave, for commands that only read. */
export function stopOnSignals(): AbortSignal {
  const stop = new AbortController()
  for (const signal of SIGNALS) process.on(signal, () => stop.abort())
  return stop.signal
}

/** Calls `leave` when nobody reads the output any more, as after the first line of `sluice queues | head -1`. */
export function onUnread(leave: () => void): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', ({ code }: NodeJS.ErrnoException) => {
      // Output that a full disk or a closed terminal does not accept is lost, and the work continues.
      if (code === 'EPIPE') leave()
    })
}

/** A child of `pnpm dev` leaves with it, even if `pnpm dev` was killed and could not tell anybody. */
export function leaveWithParent(): void {
  if (process.channel === undefined || process.channel === null) return
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  process.channel.unref()
}
