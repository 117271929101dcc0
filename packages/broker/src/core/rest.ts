import type { HostPlatform } from './platform.ts'

/** A shorter rest saves nothing. A longer one could cost leases, since heartbeats wait too. */
const REST_MS_MIN = 100
const REST_MS_MAX = 5000

/** A time in which a connection is not read from, because its principal uses more than its share of the broker. */
export class Rest {
  readonly #platform: HostPlatform
  #cancel: (() => void) | undefined

  constructor(platform: HostPlatform) {
    this.#platform = platform
  }

  get isOn(): boolean {
    return this.#cancel !== undefined
  }

  /** Lasts for `ms`, at least 100 and at most 5,000. One that has begun already stays as it is. */
  begin(ms: number, onOver: () => void): void {
    if (this.#cancel !== undefined) return
    this.#cancel = this.#platform.setTimer(
      () => {
        this.#cancel = undefined
        onOver()
      },
      Math.min(Math.max(ms, REST_MS_MIN), REST_MS_MAX),
    )
  }

  end(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
