import { strictJson } from '@sluice/client'
import type { ThreadReport } from './thread-messages.ts'

/** The time between two values that leave the thread, in ms. The worker sends them even less often. */
const INTERVAL_MS = 25

/**
 * The newest progress of a task, which its thread sends to the main thread. A handler that reports in a loop must not
 * flood the main thread, which sends the heartbeats. So values that are replaced within the interval stay here.
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

  /** The handler has returned. Its last progress is sent before its output. */
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
      // A value that cannot be converted to JSON could not leave the worker either, and cloning it would throw in the
      // handler.
      this.#report({ type: 'progress', value: JSON.parse(strictJson(value, 'progress')) })
    } catch (error) {
      const message = `progress left out: ${(error as Error).message}`
      this.#report({ type: 'log', level: 'warn', fields: {}, message })
    }
  }
}
