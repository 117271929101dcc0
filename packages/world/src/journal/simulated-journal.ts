import {
  BATCH_BODY_BYTES_MAX,
  type Batch,
  EventDecoder,
  EventEncoder,
  type Journal,
  JournalDamagedError,
  refusalOf,
} from '@sluice/broker/core'
import { grained } from '../context.ts'
import { draw } from '../distribution.ts'
import type { ObservationBody } from '../observation.ts'
import type { RandomStream } from '../random.ts'
import type { JournalProfile } from '../scenario.ts'
import { DiskError, type SimulatedDisk } from './disk.ts'
import { readRecord, writeRecord } from './record.ts'

export interface JournalSurroundings {
  clock: { setTimer(fn: () => void, ms: number): () => void }
  random: RandomStream
  profile: JournalProfile
  /** The broker that opens it. */
  incarnation: number
  observe(observation: ObservationBody): void
  /** Calls back into the broker's process when that can run. Default: at once. */
  enter?(fn: () => void): void
}

/** Opens the log of a disk. Throws a `JournalLockedError` while it is already open. */
export function openJournal(disk: SimulatedDisk, surroundings: JournalSurroundings): Journal {
  return new SimulatedJournal(disk, surroundings)
}

interface Append {
  batch: number
  record: Uint8Array
  bodies: number
  resolve(): void
  reject(error: Error): void
}

interface Kept {
  bodies: Uint8Array
  bytes: number
}

class SimulatedJournal implements Journal {
  readonly durability: 'strict' | 'relaxed'
  readonly batchBytesMax = BATCH_BODY_BYTES_MAX
  readonly #disk: SimulatedDisk
  readonly #surroundings: JournalSurroundings
  readonly #encoder = new EventEncoder()
  /** By batch number, in ascending order. */
  readonly #kept = new Map<number, Kept>()
  readonly #appends: Append[] = []
  readonly #cancels = new Set<() => void>()
  /** Called when nothing is being appended any more. */
  readonly #atRest: (() => void)[] = []
  #bytes = 0
  /** The last batch that was passed to `append`, and the last that is stored. */
  #last = 0
  #newest = 0
  #isLoaded = false
  #isClosed = false
  #failure: Error | undefined

  constructor(disk: SimulatedDisk, surroundings: JournalSurroundings) {
    this.#disk = disk
    this.#surroundings = surroundings
    this.durability = surroundings.profile.durability ?? 'strict'
    disk.open({
      abandon: () => {
        for (const cancel of this.#cancels) cancel()
        // After a failed write nothing more is written.
        return this.#failure ? [] : this.#appends.map(({ record }) => record)
      },
    })
  }

  load(each: Parameters<Journal['load']>[0]): number | Promise<number> {
    const ms = this.#timeOf(this.#surroundings.profile.readMs)
    if (ms === 0) return this.#load(each)
    return this.#after(ms, () => this.#load(each))
  }

  append(batch: Batch): void | Promise<void> {
    if (this.#failure) throw this.#failure
    if (this.#isClosed || !this.#isLoaded)
      throw new Error(`the simulated journal is ${this.#isClosed ? 'closed' : 'not loaded'}`)
    const refusal = refusalOf(batch, this.#last, this.batchBytesMax)
    if (refusal !== undefined) throw this.#fail(refusal)
    const { observe, profile } = this.#surroundings
    observe({ type: 'appending', batch: batch.batch, events: batch.events })
    const events = this.#encoder.encode(batch.batch, batch.events)
    const record = writeRecord({ batch: batch.batch, events, bodies: batch.bodies })
    this.#last = batch.batch
    this.#disk.newestBatch = batch.batch
    const ms = this.#timeOf(profile.appendMs)
    if (ms === 0 && this.#appends.length === 0 && profile.isSynchronous !== false) {
      this.#store(batch.batch, record, batch.bodies.length)
      observe({ type: 'appended', batch: batch.batch })
      return
    }
    return new Promise((resolve, reject) => {
      this.#appends.push({ batch: batch.batch, record, bodies: batch.bodies.length, resolve, reject })
      if (this.#appends.length === 1) this.#writeNext(ms)
    })
  }

  read(batch: number): Uint8Array | Promise<Uint8Array> {
    const ms = this.#timeOf(this.#surroundings.profile.readMs)
    if (ms === 0) return this.#read(batch)
    return this.#after(ms, () => this.#read(batch))
  }

  discardBefore(before: number): void | Promise<void> {
    const ms = this.#timeOf(this.#surroundings.profile.appendMs)
    if (ms === 0) return this.#discard(before)
    return this.#after(ms, () => this.#discard(before))
  }

  stats(): { batches: number; bytes: number } {
    return { batches: this.#kept.size, bytes: this.#bytes }
  }

  close(): void | Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#appends.length === 0) {
      this.#closeDisk()
      return
    }
    return new Promise((resolve) => {
      this.#atRest.push(() => {
        this.#closeDisk()
        resolve()
      })
    })
  }

  /** A failed sync is not retried: what it left in doubt stays in doubt. */
  #closeDisk(): void {
    if (!this.#failure) this.#disk.sync()
    this.#disk.close()
  }

  #load(each: Parameters<Journal['load']>[0]): number {
    const disk = this.#disk
    const decoder = new EventDecoder()
    const text = new TextDecoder()
    let isTorn = false
    this.#kept.clear()
    this.#bytes = 0
    for (const [at, record] of disk.records.entries()) {
      const stored = readRecord(record)
      if (!stored) {
        if (at < disk.records.length - 1) throw new JournalDamagedError('a record in the middle of the log is damaged')
        isTorn = true
        break
      }
      each(stored.batch, decoder.decode(stored.batch, text.decode(stored.events)))
      this.#last = stored.batch
      this.#keep(stored.batch, stored.bodies, record.length)
    }
    if (isTorn) disk.dropTorn()
    if (!this.#isLoaded) {
      const { observe, incarnation } = this.#surroundings
      if (disk.newestBatch > this.#last) observe({ type: 'lost', fromBatch: this.#last + 1, torn: isTorn })
      disk.newestBatch = this.#last
      const [firstBatch = 1] = this.#kept.keys()
      observe({ type: 'recovered', incarnation, firstBatch, lastBatch: this.#last })
    }
    this.#isLoaded = true
    return this.#last
  }

  #writeNext(ms: number): void {
    this.#later(ms, () => {
      const { batch, record, bodies, resolve, reject } = this.#appends.shift() as Append
      try {
        if (this.#failure) throw this.#failure
        this.#store(batch, record, bodies)
        this.#enter(() => {
          this.#surroundings.observe({ type: 'appended', batch })
          resolve()
        })
      } catch (error) {
        this.#enter(() => reject(error as Error))
      }
      if (this.#appends.length > 0) this.#writeNext(this.#timeOf(this.#surroundings.profile.appendMs))
      else for (const fn of this.#atRest) this.#enter(fn)
    })
  }

  #store(batch: number, record: Uint8Array, bodies: number): void {
    try {
      this.#disk.write(record, this.durability === 'strict')
    } catch (error) {
      throw this.#fail((error as Error).message)
    }
    this.#keep(batch, record.subarray(record.length - bodies), record.length)
  }

  #keep(batch: number, bodies: Uint8Array, bytes: number): void {
    this.#newest = batch
    this.#kept.set(batch, { bodies, bytes })
    this.#bytes += bytes
  }

  #read(batch: number): Uint8Array {
    if (this.#disk.isFailing) throw new DiskError('the simulated disk failed')
    const kept = this.#kept.get(batch)
    if (!kept) throw new Error(`batch ${batch} is not stored`)
    return kept.bodies
  }

  /** The newest batch stays, so that a later opening knows where the numbers continue. */
  #discard(before: number): void {
    if (this.#failure || this.#isClosed) return
    const end = Math.min(before, this.#newest)
    let count = 0
    for (const [batch, { bytes }] of this.#kept) {
      if (batch >= end) break
      this.#kept.delete(batch)
      this.#bytes -= bytes
      count += 1
    }
    if (count === 0) return
    this.#disk.discard(count)
    this.#surroundings.observe({ type: 'discarded', before: end })
  }

  #fail(reason: string): Error {
    this.#failure = new Error(`the simulated journal stopped: ${reason}`)
    return this.#failure
  }

  #timeOf(distribution: JournalProfile['appendMs']): number {
    return grained(draw(distribution, this.#surroundings.random)) + this.#disk.slowByMs
  }

  #after<T>(ms: number, fn: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#later(ms, () =>
        this.#enter(() => {
          try {
            resolve(fn())
          } catch (error) {
            reject(error as Error)
          }
        }),
      )
    })
  }

  #later(ms: number, fn: () => void): void {
    const cancel = this.#surroundings.clock.setTimer(() => {
      this.#cancels.delete(cancel)
      fn()
    }, ms)
    this.#cancels.add(cancel)
  }

  #enter(fn: () => void): void {
    const { enter } = this.#surroundings
    if (enter) enter(fn)
    else fn()
  }
}
