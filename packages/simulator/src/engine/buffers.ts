import type { ObservationOf } from '@sluice/world'

/** Tells which frames say something new of what waits in a socket. Almost all of them leave at once. */
export class Buffers {
  /** Sockets with bytes that have not left, by connection and side. */
  readonly #waiting = new Set<string>()

  isNews({ connection, by, buffered }: ObservationOf<'frame'>): boolean {
    const key = `${connection} ${by}`
    const was = this.#waiting.has(key)
    if (buffered > 0) this.#waiting.add(key)
    else this.#waiting.delete(key)
    return was || buffered > 0
  }
}
