import type { Connection } from './connection.ts'

/** Tracks the connections that are paused because the open batch is full. */
export class Intake {
  readonly #isFull: () => boolean
  readonly #nowMs: () => number
  #paused = new Set<Connection>()
  #pausedAtMs = 0

  constructor(isFull: () => boolean, nowMs: () => number) {
    this.#isFull = isFull
    this.#nowMs = nowMs
  }

  /** Whether the open batch takes no more bodies. A batch has a bound, and may have to wait for the previous one. */
  get isSaturated(): boolean {
    return this.#isFull()
  }

  /** How long a connection has been paused without being excused for it, in ms. */
  get deafMs(): number {
    return this.#paused.size === 0 ? 0 : this.#nowMs() - this.#pausedAtMs
  }

  /** Marks the pause so far as excused. */
  excused(): void {
    this.#pausedAtMs = this.#nowMs()
  }

  pauseWhenSaturated(connection: Connection): void {
    if (!this.#isFull() || this.#paused.has(connection)) return
    if (this.#paused.size === 0) this.#pausedAtMs = this.#nowMs()
    this.#paused.add(connection)
    connection.pause()
  }

  /** Resumes reading as far as there is room. */
  resume(): void {
    if (this.#paused.size === 0 || this.#isFull()) return
    const paused = this.#paused
    this.#paused = new Set()
    for (const connection of paused) connection.resume()
  }
}
