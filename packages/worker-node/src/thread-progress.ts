import { strictJson } from '@sluice/client'
import type { ThreadReport } from './thread-messages.ts'

/** Between two values that leave the thread, in ms; the worker sends them on more rarely still. */
const INTERVAL_MS = 25

/**
 * The newest progress of a task, on its way out of its thread. A handler that reports in a loop must not flood the thread that has the
 * heartbeats to send: what is overtaken within the interval stays here.
 */
export class ThreadProgress {
  readonly #report: (message: ThreadReport) => void
  #newest: { value: unknown } | undefined
  #restsUntilMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(report: (message: ThreadReport) => void) {
    this.#report = report
  }

  report(value: unknown): void {
    this.#newest = { value }
    const leftMs = this.#restsUntilMs - performance.now()
    if (leftMs <= 0) this.#leave()
    else this.#timer ??= setTimeout(() => this.#leave(), leftMs)
  }

  /** The handler has returned: its last word leaves before its output. */
  end(): void {
    this.#leave()
  }

  #leave(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#newest === undefined) return
    const { value } = this.#newest
    this.#newest = undefined
    this.#restsUntilMs = performance.now() + INTERVAL_MS
    try {
      // What JSON cannot say could not leave the worker either, and a clone of it would throw in the handler.
      this.#report({ type: 'progress', value: JSON.parse(strictJson(value, 'progress')) })
    } catch (error) {
      const message = `progress left out: ${(error as Error).message}`
      this.#report({ type: 'log', level: 'warn', fields: {}, message })
    }
  }
}
