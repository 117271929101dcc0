import type { OutboxItem } from './item.ts'
import type { OutboxStore } from './store.ts'

/** The number of items read at once. It is also how many a submit message has. */
const PAGE = 500

interface Page {
  after: number
  items: Promise<OutboxItem[]>
}

/** Reads what an owner has saved, the oldest first, and again from where something became saved behind it. */
export class SavedReader {
  readonly #store: OutboxStore
  readonly #owner: string
  /** The `seq` up to which the saved items were looked at. */
  #cursor = 0
  /** Something was saved, or became so again, behind this `seq`. */
  #rewindTo: number | undefined
  /** The page that is read while the one before it is sent. */
  #ahead: Page | undefined

  constructor(store: OutboxStore, owner: string) {
    this.#store = store
    this.#owner = owner
  }

  /** Whether `next` begins behind what it has given. */
  get isRewound(): boolean {
    return this.#rewindTo !== undefined
  }

  rewind(seq: number): void {
    this.#rewindTo = Math.min(seq, this.#rewindTo ?? seq)
  }

  restart(): void {
    this.#cursor = 0
    this.#rewindTo = undefined
    this.#ahead = undefined
  }

  /** Somebody has changed items: what was read ahead may be wrong. */
  doubt(): void {
    this.#ahead = undefined
  }

  /** @returns a page of at most `room` items, which is empty at the end */
  async next(room: number): Promise<OutboxItem[]> {
    if (this.#rewindTo !== undefined) {
      this.#cursor = Math.min(this.#cursor, this.#rewindTo)
      this.#rewindTo = undefined
    }
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead?.after === this.#cursor && room >= PAGE) return ahead.items
    return this.#read(Math.min(room, PAGE))
  }

  /** These items of the last page are taken. The page behind them is read at once if there is room for it. */
  took(items: readonly OutboxItem[], room: number): void {
    this.#cursor = items.at(-1)!.seq
    if (items.length < PAGE || room < PAGE || this.#rewindTo !== undefined) return
    this.#ahead = { after: this.#cursor, items: this.#read(PAGE) }
    // The caller that takes the page gets the error.
    this.#ahead.items.catch(() => {})
  }

  #read(limit: number): Promise<OutboxItem[]> {
    return this.#store.list({ owner: this.#owner, states: ['saved'], after: this.#cursor, limit })
  }
}
