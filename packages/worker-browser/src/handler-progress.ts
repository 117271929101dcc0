import { strictJson } from '@sluice/client'

/** The time between two values that leave the Worker, in ms. They leave the tab even less often. */
const INTERVAL_MS = 25

export interface ProgressHost {
  now(): number
  setTimer(fn: () => void, ms: number): () => void
  onProgress(value: unknown): void
  onUnsendable(message: string): void
}

/**
 * The newest progress of a task. A handler that reports in a loop must not flood the connection Worker, which sends the
 * heartbeats. So values that are replaced within the interval stay here.
 */
export class HandlerProgress {
  readonly #host: ProgressHost
  #newest: { value: unknown } | undefined
  #restsUntilMs = Number.NEGATIVE_INFINITY
  #cancel: (() => void) | undefined

  constructor(host: ProgressHost) {
    this.#host = host
  }

  report(value: unknown): void {
    this.#newest = { value }
    const leftMs = this.#restsUntilMs - this.#host.now()
    if (leftMs <= 0) this.#leave()
    else this.#cancel ??= this.#host.setTimer(() => this.#leave(), leftMs)
  }

  /** The handler has returned. Its last progress is sent before its output. */
  end(): void {
    this.#leave()
  }

  #leave(): void {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#newest === undefined) return
    const { value } = this.#newest
    this.#newest = undefined
    this.#restsUntilMs = this.#host.now() + INTERVAL_MS
    try {
      // A value that cannot be converted to JSON could not leave the tab either, and cloning it would throw in the
      // handler.
      this.#host.onProgress(JSON.parse(strictJson(value, 'progress')))
    } catch (error) {
      this.#host.onUnsendable(`progress left out: ${(error as Error).message}`)
    }
  }
}
