import { type BodyRef, batchOf, bodyRef, type Journal, offsetOf } from '../journal/journal.ts'

const EMPTY = new Uint8Array(0)
const STAGE_BYTES_MIN = 4096
const RING_BYTES_MIN = 65_536
/** Bytes of the stage that are kept for the next batch. */
const STAGE_BYTES_KEPT = 1024 ** 2

/** Consecutive bodies of one batch, and where they are. */
export interface BodyRun {
  readonly ref: BodyRef
  length: number
  /** `fill` sets this. */
  bytes: Uint8Array
}

export function bodyRun(ref: BodyRef, length: number): BodyRun {
  return { ref, length, bytes: EMPTY }
}

/** The batches that can be read from the journal. */
export interface StoredBatches {
  /** The newest of them. */
  readonly durable: number
  /** Resolves when a sealed batch can be read (true), or never can be (false). */
  whenDurable(batch: number): Promise<boolean>
}

/**
 * Holds bodies on their way into and out of the journal. The bodies of the open batch are staged here. Those of stored
 * batches come from a bounded cache of the latest ones, or from the journal, one whole batch at a time, because tasks
 * that were submitted together are delivered together.
 */
export class BodyStore {
  readonly #journal: Journal
  readonly #cache: BodyCache
  #stage: Uint8Array = EMPTY
  #staged = 0
  #batch = 1
  readonly #stored: StoredBatches

  constructor(journal: Journal, cacheBytesMax: number, stored: StoredBatches) {
    this.#journal = journal
    this.#stored = stored
    // A journal in memory needs no cache.
    this.#cache = new BodyCache(journal.durability === 'memory' ? 0 : cacheBytesMax)
  }

  get stagedBytes(): number {
    return this.#staged
  }

  /** The bytes in the cache now. */
  get cachedBytes(): number {
    return this.#cache.bytes
  }

  /** Begins the batch with this number. */
  begin(batch: number): void {
    this.#batch = batch
    this.#staged = 0
    if (this.#stage.length > STAGE_BYTES_KEPT) this.#stage = EMPTY
  }

  /** Copies bodies into the open batch. Returns the reference of the first. */
  stage(bytes: Uint8Array): BodyRef {
    const offset = this.#staged
    const end = offset + bytes.length
    if (end > this.#stage.length) this.#grow(end)
    this.#stage.set(bytes, offset)
    this.#staged = end
    return bodyRef(this.#batch, offset)
  }

  /** Returns the bodies of the open batch, which counts as stored from now on. */
  seal(): Uint8Array {
    const bodies = this.#stage.slice(0, this.#staged)
    this.#cache.keep(this.#batch, bodies)
    return bodies
  }

  /** Fills in the bodies. Returns a promise only if the journal must read. */
  fill(runs: readonly BodyRun[]): void | Promise<void> {
    let pending: Promise<void>[] | undefined
    let lastBatch = -1
    let bodies: Uint8Array | Promise<Uint8Array> = EMPTY
    for (const run of runs) {
      const { ref, length } = run
      const batch = batchOf(ref, this.#batch)
      const cached = this.#cache.read(batch, offsetOf(ref), length)
      if (cached) {
        run.bytes = cached
        continue
      }
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
    // A copy, because the next batch reuses the stage.
    if (batch === this.#batch) return this.#stage.slice(0, this.#staged)
    let read: Uint8Array | Promise<Uint8Array>
    try {
      read = batch > this.#stored.durable ? this.#readLater(batch) : this.#journal.read(batch)
    } catch (error) {
      // If this threw, nobody would await the reads that have begun, or notice if they fail too.
      return Promise.reject(error as Error)
    }
    if (read instanceof Uint8Array) this.#cache.keep(batch, read)
    else read.then((bodies) => this.#cache.keep(batch, bodies)).catch(() => {})
    return read
  }

  /** Reads a batch that is still on its way to the disk. */
  async #readLater(batch: number): Promise<Uint8Array> {
    if (!(await this.#stored.whenDurable(batch))) throw new Error(`batch ${batch} was not stored`)
    return this.#journal.read(batch)
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

/**
 * The bodies of the latest batches, in a ring buffer. They are copied in and out. Separate buffers would live until a
 * full garbage collection, and would cause more of those than anything else.
 */
class BodyCache {
  readonly #bytesMax: number
  /** Where each batch lies, oldest first. */
  readonly #places = new Map<number, { start: number; end: number }>()
  #ring: Uint8Array = EMPTY
  #next = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    let bytes = 0
    for (const { start, end } of this.#places.values()) bytes += end - start
    return bytes
  }

  /** A copy of part of a batch. Undefined if the cache does not hold it. */
  read(batch: number, offset: number, length: number): Uint8Array | undefined {
    const place = this.#places.get(batch)
    if (place === undefined) return undefined
    const from = place.start + offset
    return this.#ring.slice(from, from + length)
  }

  keep(batch: number, bodies: Uint8Array): void {
    const { length } = bodies
    if (length === 0 || length > this.#bytesMax || this.#places.has(batch)) return
    if (this.#next + length > this.#ring.length) this.#grow(this.#next + length)
    const start = this.#next + length > this.#ring.length ? 0 : this.#next
    const end = start + length
    for (const [oldest, place] of this.#places) {
      const isInTheWay = place.start < end && place.end > start
      const isPassedOver = start === 0 && this.#next > 0 && place.start >= this.#next
      if (!isInTheWay && !isPassedOver) break
      this.#places.delete(oldest)
    }
    this.#ring.set(bodies, start)
    this.#places.set(batch, { start, end })
    this.#next = end
  }

  /** Grows to its maximum before the ring wraps. */
  #grow(bytes: number): void {
    if (this.#ring.length === this.#bytesMax) return
    const larger = new Uint8Array(Math.min(this.#bytesMax, Math.max(RING_BYTES_MIN, this.#ring.length * 2, bytes)))
    larger.set(this.#ring)
    this.#ring = larger
  }
}
