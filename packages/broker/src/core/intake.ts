import type { Connection } from './connection.ts'

/** Which connections are not read from because the batch in the making is full. */
export class Intake {
  readonly #isFull: () => boolean
  readonly #nowMs: () => number
  #paused = new Set<Connection>()
  #pausedAtMs = 0

  constructor(isFull: () => boolean, nowMs: () => number) {
    this.#isFull = isFull
    this.#nowMs = nowMs
  }

  /** Whether the batch in the making takes no more bodies: a batch has a bound, and may have to wait for the one before. */
  get isSaturated(): boolean {
    return this.#isFull()
  }

  /** For how long somebody has not been listened to, and not been excused for it yet, in ms. */
  get deafMs(): number {
    return this.#paused.size === 0 ? 0 : this.#nowMs() - this.#pausedAtMs
  }

  /** What has passed of a pause so far has been excused. */
  excused(): void {
    this.#pausedAtMs = this.#nowMs()
  }

  pauseWhenSaturated(connection: Connection): void {
    if (!this.#isFull() || this.#paused.has(connection)) return
    if (this.#paused.size === 0) this.#pausedAtMs = this.#nowMs()
    this.#paused.add(connection)
    connection.pause()
  }

  /** Reads on, as far as there is room. */
  resume(): void {
    if (this.#paused.size === 0 || this.#isFull()) return
    const paused = this.#paused
    this.#paused = new Set()
    for (const connection of paused) connection.resume()
  }
}
