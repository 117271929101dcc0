import type { Event } from '@sluice/engine'
import { refusalOf } from './append-check.ts'
import { BodyReading } from './body-reading.ts'
import { EventDecoder } from './event-decoder.ts'
import { EventEncoder } from './event-encoder.ts'
import { BATCH_BODY_BYTES_MAX, type Batch, type Durability, type Journal } from './journal.ts'
import { JournalThread } from './journal-thread.ts'
import { messageOf } from './sqlite-error.ts'
import type { FromWriter, Rows, ToWriter } from './sqlite-messages.ts'
import { errorOf } from './thread-error.ts'
import { type ThreadFiles, threadFiles } from './thread-files.ts'

export interface SqliteJournalOptions {
  /** The database file. Its directory is created if missing. Whatever is created is private to the user. */
  path: string
  /**
   * `strict` survives a power loss: every append waits for the disk. `relaxed` survives the end of this process, and
   * may lose the last seconds at a power loss.
   */
  durability: Exclude<Durability, 'memory'>
}

interface Append {
  batch: number
  bytes: number
  stored: PromiseWithResolvers<void>
}

/**
 * The journal in one SQLite file (WAL), one row per batch. `load` opens it. While it is open, other programs may read
 * the file with SQL (see the views `events`, `tasks`, `tasks_by_state`).
 *
 * Only threads touch the file: one writes, and one reads bodies, so that reads wait for no write. Appends that arrive
 * while the disk is busy are stored together, with one sync.
 * @throws TypeError for a path that names no file; Error if a bundle lacks the programs of the threads
 */
export function sqliteJournal(options: SqliteJournalOptions): Journal {
  const { path } = options
  if (path === '' || path.startsWith(':memory:') || path.startsWith('file:'))
    throw new TypeError(`path must name a file, not ${JSON.stringify(path)}: use the memory journal to store nothing`)
  return new SqliteJournal(options)
}

class SqliteJournal implements Journal {
  readonly durability: Durability
  readonly batchBytesMax = BATCH_BODY_BYTES_MAX
  readonly #encoder = new EventEncoder()
  readonly #threadFiles: ThreadFiles = threadFiles()
  #path: string
  #writer: JournalThread<ToWriter, FromWriter> | undefined
  #reading: BodyReading | undefined
  #stats = { batches: 0, bytes: 0 }
  readonly #opening = Promise.withResolvers<void>()
  #isOpening = false
  #isLoaded = false
  /** The last batch that was given to the thread. */
  #last = 0
  /** The pending appends, in order. */
  readonly #appends: Append[] = []
  readonly #loads: PromiseWithResolvers<Rows>[] = []
  #discardTo = 0
  #discarding: { before: number; done: PromiseWithResolvers<void> } | undefined
  #failure: Error | undefined
  #closing: Promise<void> | undefined
  /** The thread has sent its last message. */
  #isOver = false
  #closeError: Error | undefined
  #heardFailure: ((error: Error) => void) | undefined

  constructor({ path, durability }: SqliteJournalOptions) {
    this.#path = path
    this.durability = durability
  }

  async load(each: (batch: number, events: Event[]) => void): Promise<number> {
    this.#assertUsable()
    await this.#open()
    const decoder = new EventDecoder()
    let part: Rows | undefined = await this.#rows({ type: 'load' })
    while (part) {
      // The thread reads the next rows meanwhile.
      const next: Promise<Rows> | undefined = part.then.type === 'more' ? this.#rows({ type: 'more' }) : undefined
      next?.catch(() => {})
      let start = 0
      for (const [index, end] of part.ends.entries()) {
        const batch = part.first + index
        const text = Buffer.from(part.bytes.buffer, part.bytes.byteOffset + start, end - start).toString('utf8')
        start = end
        each(batch, decoder.decode(batch, text))
        this.#last = batch
      }
      if (part.then.type === 'failed') throw errorOf(part.then.error)
      part = await next
    }
    this.#isLoaded = true
    return this.#last
  }

  append(batch: Batch): Promise<void> {
    try {
      return this.#append(batch)
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  #append(batch: Batch): Promise<void> {
    this.#assertUsable()
    if (!this.#isLoaded) throw new Error(`the journal ${this.#path} is not loaded`)
    const refusal = refusalOf(batch, this.#last, this.batchBytesMax)
    if (refusal !== undefined) throw this.#fail(refusal)
    const stored = Promise.withResolvers<void>()
    try {
      // The encoder reuses its buffer for the next batch.
      const events = this.#encoder.encode(batch.batch, batch.events).slice()
      const bodies = own(batch.bodies)
      const bytes = events.length + bodies.length
      this.#ask({ type: 'append', batch: batch.batch, events, bodies }, [events.buffer, bodies.buffer])
      this.#appends.push({ batch: batch.batch, bytes, stored })
    } catch (error) {
      throw this.#fail(messageOf(error), error)
    }
    this.#last = batch.batch
    this.#holdProcess()
    return stored.promise
  }

  read(batch: number): Promise<Uint8Array> {
    // The batch counts as stored once its append is done.
    const append = this.#appends.find((pending) => pending.batch === batch)
    return append ? append.stored.promise.then(() => this.#read(batch)) : this.#read(batch)
  }

  async #read(batch: number): Promise<Uint8Array> {
    if (this.#closing) throw this.#closed()
    if (!this.#isLoaded) throw new Error(`the journal ${this.#path} is not loaded`)
    this.#reading ??= new BodyReading(this.#threadFiles.reader, this.#path, (why, cause) => this.#fail(why, cause))
    return this.#reading.read(batch)
  }

  discardBefore(before: number): Promise<void> {
    this.#discardTo = Math.max(this.#discardTo, before)
    if (this.#discarding) return this.#discarding.done.promise
    if (this.#closing || this.#failure || !this.#isLoaded) return Promise.resolve()
    this.#discarding = { before: this.#discardTo, done: Promise.withResolvers() }
    this.#ask({ type: 'discard', before: this.#discardTo })
    this.#holdProcess()
    return this.#discarding.done.promise
  }

  stats(): { batches: number; bytes: number } {
    return { ...this.#stats }
  }

  onFailure(heard: (error: Error) => void): void {
    this.#heardFailure = heard
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (!this.#writer) return
    // Close the reader first: the last connection to close moves the log into the file, and a reader cannot.
    await this.#reading?.close()
    this.#ask({ type: 'close', hasFailed: this.#failure !== undefined })
    this.#writer.holdProcess(true)
    await this.#writer.end
    if (this.#closeError) throw this.#closeError
  }

  #open(): Promise<void> {
    if (!this.#writer) {
      this.#isOpening = true
      const data = { path: this.#path, durability: this.durability }
      this.#writer = new JournalThread<ToWriter, FromWriter>(this.#threadFiles.writer, data, {
        heard: (answer) => {
          this.#heard(answer)
          this.#holdProcess()
        },
        ended: (why, cause) => {
          if (!this.#isOver) this.#abort(this.#fail(why, cause))
        },
      })
      this.#holdProcess()
    }
    return this.#opening.promise
  }

  async #rows(request: ToWriter): Promise<Rows> {
    this.#assertUsable()
    const rows = Promise.withResolvers<Rows>()
    this.#loads.push(rows)
    this.#ask(request)
    this.#holdProcess()
    return rows.promise
  }

  #ask(request: ToWriter, transfer?: ArrayBuffer[]): void {
    this.#writer!.ask(request, transfer)
  }

  #heard(answer: FromWriter): void {
    switch (answer.type) {
      case 'opened':
        this.#path = answer.path
        this.#stats = { batches: answer.batches, bytes: answer.bytes }
        this.#isOpening = false
        this.#opening.resolve()
        return
      case 'notOpened':
        this.#isOver = true
        this.#isOpening = false
        this.#failure = errorOf(answer.error)
        this.#opening.reject(this.#failure)
        return
      case 'rows':
        this.#loads.shift()!.resolve(answer)
        return
      case 'appended':
        for (const { bytes, stored } of this.#appends.splice(0, answer.count)) {
          this.#stats.batches++
          this.#stats.bytes += bytes
          stored.resolve()
        }
        return
      case 'discarded':
        this.#stats.batches -= answer.batches
        this.#stats.bytes -= answer.bytes
        if (answer.isDone) this.#discarded()
        return
      case 'failed': {
        this.#failure ??= errorOf(answer.error)
        const failure = this.#failure
        if (answer.by === 'discard') this.#discarding?.done.reject(failure)
        this.#endAppends(failure)
        this.#heardFailure?.(failure)
        return
      }
      case 'closed':
        this.#isOver = true
        this.#closeError = answer.error && errorOf(answer.error)
        this.#endDiscard()
    }
  }

  /** The requested discard is done. More may have been requested meanwhile. */
  #discarded(): void {
    const discarding = this.#discarding!
    if (this.#discardTo > discarding.before && !this.#closing) {
      discarding.before = this.#discardTo
      this.#ask({ type: 'discard', before: this.#discardTo })
    } else this.#endDiscard()
  }

  /** Ends the discard, complete or not. The rest may be done later. */
  #endDiscard(): void {
    this.#discarding?.done.resolve()
    this.#discarding = undefined
  }

  #endAppends(failure: Error): void {
    for (const { stored } of this.#appends.splice(0)) stored.reject(failure)
    this.#endDiscard()
  }

  /** Rejects everything that is pending. */
  #abort(failure: Error): void {
    this.#isOver = true
    this.#isOpening = false
    this.#opening.reject(failure)
    for (const load of this.#loads.splice(0)) load.reject(failure)
    this.#endAppends(failure)
    this.#heardFailure?.(failure)
  }

  #fail(reason: string, cause?: unknown): Error {
    this.#failure ??= new Error(`the journal ${this.#path} stopped: ${reason}`, { cause })
    return this.#failure
  }

  #assertUsable(): void {
    if (this.#failure) throw this.#failure
    if (this.#closing) throw this.#closed()
  }

  #closed(): Error {
    return new Error(`the journal ${this.#path} is closed`)
  }

  /** Keeps the process alive while something is pending. */
  #holdProcess(): void {
    const isBusy = this.#isOpening || this.#loads.length > 0 || this.#appends.length > 0 || this.#discarding
    this.#writer?.holdProcess(Boolean(isBusy || this.#closing))
  }
}

/**
 * The bytes in a buffer of their own, which can be transferred to another thread. No copy is made if their buffer holds
 * nothing else.
 */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes)
}
