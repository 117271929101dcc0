import type { TaskStatus } from '@sluice/protocol'

/** Follows every outcome. */
export interface OutcomeReader {
  /** A task has a durable outcome. `owner`: the principal that submitted it, with access control. */
  told(outcome: TaskStatus, owner: string | undefined): void
  /** No more outcomes follow: the broker leaves or has failed. */
  ended(): void
}

/** The readers of the outcomes of all tasks. */
export class OutcomeFeed {
  readonly #readers = new Set<OutcomeReader>()

  get size(): number {
    return this.#readers.size
  }

  /** Adds a reader. The returned function removes it. */
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
