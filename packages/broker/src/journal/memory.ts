import { refusalOf } from './append-check.ts'
import { EventDecoder } from './event-decoder.ts'
import { EventEncoder } from './event-encoder.ts'
import { BATCH_BODY_BYTES_MAX, type Batch, type Journal } from './journal.ts'

export interface MemoryJournalOptions {
  /**
   * False keeps only the bodies of each batch and forgets its events, for a broker that is never restarted. Default
   * true.
   */
  keepEvents?: boolean
}

interface StoredBatch {
  events: Uint8Array | undefined
  bodies: Uint8Array
}

/**
 * A journal without a disk. Its content lasts as long as the object. After `close` the next host in the same process
 * can load it again, and finds what it would find after a restart.
 */
export function memoryJournal({ keepEvents = true }: MemoryJournalOptions = {}): Journal {
  const batches = new Map<number, StoredBatch>()
  const encoder = new EventEncoder()
  const text = new TextDecoder()
  let last = 0
  let first = 1
  let bytes = 0
  let open = false
  let failure: Error | undefined

  return {
    durability: 'memory',
    batchBytesMax: BATCH_BODY_BYTES_MAX,
    load(each) {
      open = true
      if (!keepEvents) return last
      const decoder = new EventDecoder()
      for (const [batch, { events }] of batches) each(batch, decoder.decode(batch, text.decode(events)))
      return last
    },
    append(batch: Batch) {
      if (!open) throw new Error('the journal is not open')
      if (failure) throw failure
      const refusal = refusalOf(batch, last, BATCH_BODY_BYTES_MAX)
      if (refusal !== undefined) {
        failure = new Error(`the journal stopped: ${refusal}`)
        throw failure
      }
      const events = keepEvents ? encoder.encode(batch.batch, batch.events).slice() : undefined
      last = batch.batch
      batches.set(last, { events, bodies: batch.bodies })
      bytes += batch.bodies.length + (events?.length ?? 0)
    },
    read(batch) {
      const stored = batches.get(batch)
      if (!stored) throw new Error(`batch ${batch} is not stored`)
      return stored.bodies
    },
    discardBefore(before) {
      for (const end = Math.min(before, last); first < end; first++) {
        const { events, bodies } = batches.get(first)!
        bytes -= bodies.length + (events?.length ?? 0)
        batches.delete(first)
      }
    },
    stats: () => ({ batches: batches.size, bytes }),
    close() {
      open = false
    },
  }
}
