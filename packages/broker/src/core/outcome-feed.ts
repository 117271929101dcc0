import type { TaskStatus } from '@sluice/protocol'

/** One who hears of every outcome. */
export interface OutcomeReader {
  /** A task has an outcome that is durable. `owner`: the principal that submitted it, where there is access control. */
  told(outcome: TaskStatus, owner: string | undefined): void
  /** There will be no more: the broker leaves or has failed. */
  ended(): void
}

/** Those who follow the outcomes of all tasks. */
export class OutcomeFeed {
  readonly #readers = new Set<OutcomeReader>()

  get size(): number {
    return this.#readers.size
  }

  /** The returned function takes it back. */
  add(reader: OutcomeReader): () => void {
    this.#readers.add(reader)
    return () => void this.#readers.delete(reader)
  }

  tell(outcome: TaskStatus, owner: string | undefined): void {
    for (const reader of this.#readers) reader.told(outcome, owner)
  }

  end(): void {
    const readers = [...this.#readers]
    this.#readers.clear()
    for (const reader of readers) reader.ended()
  }
}
