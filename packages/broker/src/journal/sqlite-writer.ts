/** The thread that opens and writes a journal's file; see `sqliteJournal`. */
import { workerData } from 'node:worker_threads'
import { BatchWriter, type EncodedBatch } from './batch-writer.ts'
import { Inbox } from './inbox.ts'
import type { FromWriter, Rows, ToWriter, WriterData } from './sqlite-messages.ts'
import { dataOf, type ErrorData } from './thread-error.ts'

/** The approximate bytes of events passed on at a time. Two such parts are in memory at once. */
const ROWS_BYTES = 1024 ** 2
/** About how often the thread checks that the files are still in their place. */
const LOOK_EVERY_MS = 250
/** The approximate bytes of appends stored with one sync. The first append waits for all of them. */
const GROUP_BYTES = 8 * 1024 ** 2

const { path, durability, port, posted } = workerData as WriterData
const inbox = new Inbox<ToWriter>({ port, posted })
const answer = (message: FromWriter, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

/** Handles requests until it is closed. */
class Writing {
  readonly #file: BatchWriter
  #rows: ReturnType<BatchWriter['rows']> | undefined
  /** The last batch that is stored. */
  #last = 0
  #discardTo = 0
  #hasFailed = false
  #lookedAtMs = performance.now()

  constructor(file: BatchWriter) {
    this.#file = file
  }

  untilClosed(): void {
    for (;;) {
      if (this.#discardTo === 0) inbox.wait(LOOK_EVERY_MS)
      this.#look()
      if (inbox.peek() !== undefined) {
        const message = inbox.next()
        if (message.type === 'close') {
          this.#close(message.hasFailed)
          return
        }
        this.#do(message)
      }
      // Take turns with other requests, so that neither waits long for the other.
      if (this.#discardTo > 0) this.#discard()
    }
  }

  /** Checks the files, even during much work: what is written to a removed file is not acknowledged. */
  #look(): void {
    const nowMs = performance.now()
    if (this.#hasFailed || nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return
    this.#lookedAtMs = nowMs
    try {
      this.#file.look()
    } catch (error) {
      this.#fail('look', error)
    }
  }

  #do(message: Exclude<ToWriter, { type: 'close' }>): void {
    switch (message.type) {
      case 'load':
        this.#rows?.return(undefined)
        this.#rows = this.#file.rows()
        this.#handOver()
        return
      case 'more':
        this.#handOver()
        return
      case 'append':
        if (!this.#hasFailed) this.#append(message)
        return
      case 'discard':
        if (!this.#hasFailed) this.#discardTo = message.before
    }
  }

  #handOver(): void {
    const { batches, then } = this.#nextRows()
    const ends: number[] = []
    let length = 0
    for (const { events } of batches) {
      length += events.length
      ends.push(length)
    }
    const bytes = batches.length === 1 ? batches[0]!.events : new Uint8Array(length)
    if (batches.length > 1)
      for (const [index, { events }] of batches.entries()) bytes.set(events, ends[index]! - events.length)
    answer({ type: 'rows', first: batches[0]?.batch ?? 0, ends, bytes, then }, [bytes.buffer])
  }

  #nextRows() {
    const batches: { batch: number; events: Uint8Array<ArrayBuffer> }[] = []
    let then: Rows['then'] = { type: 'more' }
    try {
      for (let bytes = 0; bytes < ROWS_BYTES; bytes += batches.at(-1)!.events.length) {
        const row = this.#rows!.next()
        if (row.done) {
          then = { type: 'end' }
          break
        }
        batches.push(row.value)
        this.#last = row.value.batch
      }
    } catch (error) {
      then = { type: 'failed', error: dataOf(error) }
    }
    return { batches, then }
  }

  /** Stores this batch, and those that wait behind it, with one sync. */
  #append(first: EncodedBatch): void {
    const group = [first]
    let bytes = first.bodies.length
    for (let more = inbox.peek(); more?.type === 'append' && bytes < GROUP_BYTES; more = inbox.peek()) {
      inbox.next()
      group.push(more)
      bytes += more.bodies.length
    }
    try {
      this.#file.insert(group)
    } catch (error) {
      this.#fail('append', error)
      return
    }
    this.#last = group.at(-1)!.batch
    answer({ type: 'appended', count: group.length })
    // Give the memory back at once. The garbage collector sees little of it and would come too late.
    for (const { events, bodies } of group) {
      events.buffer.transfer(0)
      bodies.buffer.transfer(0)
    }
  }

  #discard(): void {
    try {
      // The newest batch stays, so that a later opening knows the next number.
      const discarded = this.#file.discard(Math.min(this.#discardTo, this.#last))
      if (discarded.isDone) this.#discardTo = 0
      answer({ type: 'discarded', ...discarded })
    } catch (error) {
      this.#fail('discard', error)
    }
  }

  #fail(by: 'append' | 'discard' | 'look', error: unknown): void {
    this.#hasFailed = true
    this.#discardTo = 0
    answer({ type: 'failed', by, error: dataOf(error) })
  }

  #close(hasFailed: boolean): void {
    let error: ErrorData | undefined
    try {
      this.#rows?.return(undefined)
      this.#file.close(hasFailed || this.#hasFailed)
    } catch (thrown) {
      error = dataOf(thrown)
    }
    answer({ type: 'closed', error })
  }
}

function opened(): BatchWriter | undefined {
  try {
    const file = new BatchWriter(path, durability)
    answer({ type: 'opened', path: file.path, ...file.sizeAtOpening })
    return file
  } catch (error) {
    answer({ type: 'notOpened', error: dataOf(error) })
    return undefined
  }
}

const file = opened()
if (file) new Writing(file).untilClosed()
port.close()
