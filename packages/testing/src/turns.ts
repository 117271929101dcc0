import { nextTurn, settled } from './platform.ts'

/** What waits for a later turn of the event loop, counted: where nothing waits, nothing happens until time moves. */
export class Turns {
  #waiting = 0

  /** Calls `fn` in a later turn, in the order of the calls. */
  readonly later = (fn: () => void): void => {
    this.#waiting += 1
    nextTurn(() => {
      this.#waiting -= 1
      fn()
    })
  }

  /** Resolves once nothing waits, and every promise callback that was due has run. */
  async rest(): Promise<void> {
    do await settled()
    while (this.#waiting > 0)
  }
}
