/** Timers that run when the test says so. */
export class ManualTimers {
  nowMs = 0
  readonly #timers = new Set<{ dueMs: number; fn: () => void }>()

  get pending(): number {
    return this.#timers.size
  }

  set(fn: () => void, ms: number): () => void {
    const timer = { dueMs: this.nowMs + ms, fn }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Lets time pass, one deadline at a time. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms
    for (;;) {
      const [next] = [...this.#timers].filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)
      if (next === undefined) break
      this.#timers.delete(next)
      this.nowMs = Math.max(this.nowMs, next.dueMs)
      next.fn()
    }
    this.nowMs = untilMs
  }
}
