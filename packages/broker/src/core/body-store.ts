import { type BodyRef, batchOf, bodyRef, type Journal, offsetOf } from '../journal/journal.ts'

const EMPTY = new Uint8Array(0)
const STAGE_BYTES_MIN = 4096
/** Room for the next batch that is kept. */
const STAGE_BYTES_KEPT = 1024 ** 2

/** Bodies of one batch that lie one directly behind the other, and where they are. */
export interface BodyRun {
  readonly ref: BodyRef
  length: number
  /** Filled in by `fill`. */
  bytes: Uint8Array
}

export function bodyRun(ref: BodyRef, length: number): BodyRun {
  return { ref, length, bytes: EMPTY }
}

/**
 * Bodies on their way into the journal and out of it. Those of the batch in the making are staged here; those of stored
 * batches come from a bounded cache, least recently used out first, or from the journal, a whole batch at a time: what
 * was submitted together is delivered together.
 */
export class BodyStore {
  readonly #journal: Journal
  readonly #cacheBytesMax: number
  readonly #cache = new Map<number, Uint8Array>()
  #cacheBytes = 0
  #stage: Uint8Array = EMPTY
  #staged = 0
  #batch = 1

  constructor(journal: Journal, cacheBytesMax: number) {
    this.#journal = journal
    this.#cacheBytesMax = cacheBytesMax
  }

  get stagedBytes(): number {
    return this.#staged
  }

  /** What the cache holds at this moment, counted anew. */
  get cachedBytes(): number {
    let bytes = 0
    for (const { buffer } of this.#cache.values()) bytes += buffer.byteLength
    return bytes
  }

  /** Begins the batch of this number. */
  begin(batch: number): void {
    this.#batch = batch
    this.#staged = 0
    if (this.#stage.length > STAGE_BYTES_KEPT) this.#stage = EMPTY
  }

  /** Copies bodies into the batch in the making; the place of the first. */
  stage(bytes: Uint8Array): BodyRef {
    const offset = this.#staged
    const end = offset + bytes.length
    if (end > this.#stage.length) this.#grow(end)
    this.#stage.set(bytes, offset)
    this.#staged = end
    return bodyRef(this.#batch, offset)
  }

  /** The bodies of the batch in the making, which from here on is stored. */
  seal(): Uint8Array {
    const bodies = this.#stage.slice(0, this.#staged)
    this.#keep(this.#batch, bodies)
    return bodies
  }

  /** Fills in the bodies; returns a promise only where the journal needs time to read. */
  fill(runs: readonly BodyRun[]): void | Promise<void> {
    let pending: Promise<void>[] | undefined
    let lastBatch = -1
    let bodies: Uint8Array | Promise<Uint8Array> = EMPTY
    for (const run of runs) {
      const { ref, length } = run
      const batch = batchOf(ref, this.#batch)
      if (batch !== lastBatch) {
        lastBatch = batch
        bodies = this.#bodiesOf(batch)
      }
      if (bodies instanceof Uint8Array) run.bytes = slice(bodies, ref, length)
      else {
        pending ??= []
        pending.push(
          bodies.then((read) => {
            run.bytes = slice(read, ref, length)
          }),
        )
      }
    }
    if (pending) return Promise.all(pending).then(() => {})
  }

  #bodiesOf(batch: number): Uint8Array | Promise<Uint8Array> {
    // A copy, because the next batch is staged in the same place.
    if (batch === this.#batch) return this.#stage.slice(0, this.#staged)
    const cached = this.#cache.get(batch)
    if (cached) {
      this.#cache.delete(batch)
      this.#cache.set(batch, cached)
      return cached
    }
    const read = this.#journal.read(batch)
    if (read instanceof Uint8Array) this.#keep(batch, read)
    else read.then((bodies) => this.#keep(batch, bodies)).catch(() => {})
    return read
  }

  #keep(batch: number, bodies: Uint8Array): void {
    if (bodies.length === 0 || bodies.length > this.#cacheBytesMax) return
    if (this.#cache.has(batch)) return
    this.#cache.set(batch, bodies)
    this.#cacheBytes += bodies.buffer.byteLength
    for (const [oldest, { buffer }] of this.#cache) {
      if (this.#cacheBytes <= this.#cacheBytesMax) break
      this.#cache.delete(oldest)
      this.#cacheBytes -= buffer.byteLength
    }
  }

  #grow(bytes: number): void {
    const larger = new Uint8Array(Math.max(STAGE_BYTES_MIN, this.#stage.length * 2, bytes))
    larger.set(this.#stage.subarray(0, this.#staged))
    this.#stage = larger
  }
}

function slice(bodies: Uint8Array, ref: BodyRef, length: number): Uint8Array {
  const offset = offsetOf(ref)
  return length === 0 ? EMPTY : bodies.subarray(offset, offset + length)
}
