import { setTimeout as sleep } from 'node:timers/promises'

/** The maximum time for loading a module in a thread, in ms. */
export const LOAD_MS_MAX = 60_000
/**
 * The wait after the first failure, in ms. It doubles with each further failure. Its maximum is the second constant.
 */
const DELAY_MS = 250
const DELAY_MS_MAX = 10_000

/**
 * Tracks how loading the module goes in the threads of a pool. A thread that cannot load it is free again at once, so
 * it would take one task after the other. Therefore each failure waits, and longer each time, until a thread has loaded
 * the module.
 */
export class ModuleLoads {
  #failures = 0

  succeeded(): void {
    this.#failures = 0
  }

  /** @returns when the next task may try, or the signal has fired */
  async failed(signal: AbortSignal): Promise<void> {
    const delayMs = Math.min(DELAY_MS_MAX, DELAY_MS * 2 ** Math.min(this.#failures, 16))
    this.#failures += 1
    // The caller checks whether the signal has fired. The wait keeps no process alive.
    await sleep(delayMs, undefined, { signal, ref: false }).catch(() => {})
  }
}
