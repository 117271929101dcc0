import { JournalLockedError } from '@sluice/broker/core'
import type { RandomStream } from '../random.ts'

/** The process that has the disk's log open. */
export interface DiskHolder {
  /** The process has ended. Nothing of it is called back any more. Returns what it was about to write, in order. */
  abandon(): readonly Uint8Array[]
}

type Operation =
  | { type: 'write'; record: Uint8Array }
  /** The records that were at the front. */
  | { type: 'discard'; records: readonly Uint8Array[] }

/** The system writes back by itself what nobody asked it to sync: once in this many writes. */
const WRITE_BACK_EVERY = 16

/** A failing disk answers nothing. */
export class DiskError extends Error {
  override readonly name = 'DiskError'
}

/**
 * A disk that outlives the processes that write to it. It has one log of records and knows how far that is synced.
 * What is written survives the process at once, and a loss of power only once it is synced.
 */
export class SimulatedDisk {
  /** Added to the time of each operation. */
  slowByMs = 0
  /** No write succeeds. */
  isFull = false
  /** The newest batch that anyone was asked to store. */
  newestBatch = 0
  readonly #random: RandomStream
  readonly #records: Uint8Array[] = []
  #unsynced: Operation[] = []
  #isFailing = false
  #holder: DiskHolder | undefined

  constructor(random: RandomStream) {
    this.#random = random
  }

  /** In the order in which they were written. The last one may be torn. */
  get records(): readonly Uint8Array[] {
    return this.#records
  }

  /** Whether nothing can be written or read. */
  get isFailing(): boolean {
    return this.#isFailing
  }

  /** Writes and reads fail, unless the log is opened again before. */
  fail(): void {
    this.#isFailing = true
  }

  /** Writes and reads succeed again. */
  mend(): void {
    this.#isFailing = false
  }

  /** @throws JournalLockedError while another process has the log open */
  open(holder: DiskHolder): void {
    if (this.#holder) throw new JournalLockedError('the simulated log is open already')
    this.#holder = holder
    this.#isFailing = false
  }

  close(): void {
    this.#holder = undefined
  }

  /**
   * Appends a record, synced if `isSynced`.
   * @throws Error if the disk fails or is full; the record may still be there, whole or torn
   */
  write(record: Uint8Array, isSynced: boolean): void {
    if (this.isFull) {
      this.#writeTorn(record)
      throw new Error('no space left on the simulated disk')
    }
    if (this.#isFailing) {
      this.#writeSomeOf(record)
      throw new DiskError('the simulated disk failed')
    }
    this.#write(record)
    if (isSynced || this.#random.integer(1, WRITE_BACK_EVERY) === 1) this.sync()
  }

  /** Everything written lasts, unless the disk fails. */
  sync(): void {
    if (!this.#isFailing) this.#unsynced = []
  }

  /** Drops the first `count` records. Not synced: a loss of power may bring them back. */
  discard(count: number): void {
    this.#unsynced.push({ type: 'discard', records: this.#records.splice(0, count) })
  }

  /** Drops the last record, which was found to be torn. */
  dropTorn(): void {
    const torn = this.#records.pop()
    const last = this.#unsynced.at(-1)
    if (last?.type === 'write' && last.record === torn) this.#unsynced.pop()
  }

  /** The process that has the log open ends at once. Part of what it was writing may be there. */
  crash(): void {
    const writing = this.#holder?.abandon() ?? []
    this.#holder = undefined
    for (const record of writing) if (!this.#writeSomeOf(record)) break
  }

  /** The power fails: a crash, and from some point on nothing is left of what was not synced. */
  losePower(): void {
    this.crash()
    const kept = this.#random.integer(0, this.#unsynced.length)
    const undone = this.#unsynced.splice(kept)
    for (const operation of undone.toReversed()) {
      if (operation.type === 'write') this.#records.pop()
      else this.#records.unshift(...operation.records)
    }
    const [first] = undone
    if (first?.type === 'write') this.#writeTorn(first.record)
    this.#unsynced = []
  }

  /** Returns whether all of it was written. */
  #writeSomeOf(record: Uint8Array): boolean {
    const isWhole = this.#random.chance(0.5)
    if (isWhole) this.#write(record)
    else this.#writeTorn(record)
    return isWhole
  }

  /** Writes nothing, or the beginning. The rest is missing, or zeros. */
  #writeTorn(record: Uint8Array): void {
    const length = this.#random.chance(0.5) ? this.#random.integer(1, record.length - 1) : 0
    if (length === 0) return
    if (this.#random.chance(0.5)) this.#write(record.slice(0, length))
    else this.#write(record.slice().fill(0, length))
  }

  #write(record: Uint8Array): void {
    this.#records.push(record)
    this.#unsynced.push({ type: 'write', record })
  }
}
