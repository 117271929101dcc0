import { createHash } from 'node:crypto'
import { BatchReader, BatchWriter, EventDecoder, EventEncoder, JournalDamagedError } from '@sluice/broker/journal'
import { createState, type Event, engineConfig, replay } from '@sluice/engine'

/** One stored batch, told apart by what is in it. */
export interface StoredBatch {
  batch: number
  events: string
  /** Undefined where the journal refused to hand them out, as damaged. */
  bodies: string | undefined
}

/** What a program gets that opens a journal and reads all of it. */
export interface Reading {
  /** Why the journal was not opened or not loaded. */
  refused?: string
  batches: StoredBatch[]
}

/**
 * Opens a journal and reads every batch with its bodies: as the threads of `sqliteJournal` do, but in this one, since it is
 * done a thousand times. Throws what is no `JournalDamagedError`.
 */
export function readJournal(path: string): Reading {
  const batches: StoredBatch[] = []
  try {
    using file = new OpenFile(path)
    for (const { batch, events } of file.batches())
      batches.push({ batch, events: digest(JSON.stringify(events)), bodies: undefined })
    using reader = new OpenBodies(path)
    for (const stored of batches) stored.bodies = reader.digestOf(stored.batch)
    return { batches }
  } catch (error) {
    return { refused: damageIn(error, path), batches: [] }
  }
}

/** The tasks that a broker knows which has taken up a journal as far as this batch. */
export function tasksKnown(path: string, last = Number.POSITIVE_INFINITY): Set<string> {
  const state = createState(engineConfig({}))
  using file = new OpenFile(path)
  for (const { batch, events } of file.batches()) if (batch <= last) for (const event of events) replay(state, event)
  return new Set([...state.tasks.values()].map(({ id }) => id))
}

/**
 * Appends batches of bodies alone to a journal that loads, as its next user would. Returns what was stored, which is less
 * than was given where the journal stopped because of a damage.
 */
export function appendTo(path: string, bodies: readonly Uint8Array<ArrayBuffer>[]): StoredBatch[] {
  const stored: StoredBatch[] = []
  using file = new OpenFile(path)
  try {
    let last = 0
    for (const { batch } of file.batches()) last = batch
    for (const bytes of bodies) {
      file.append(++last, bytes)
      stored.push({ batch: last, events: digest('[]'), bodies: digest(bytes) })
    }
  } catch (error) {
    file.hasFailed = true
    damageIn(error, path)
  }
  return stored
}

/**
 * What is wrong with a reading of a spoiled copy, in words; undefined where it is as it has to be: it was refused, or what it
 * handed out is what was stored, from the first batch that the truth has up to some last one. Batches before the truth's
 * first were discarded later, and may still be there.
 */
export function faultIn({ refused, batches }: Reading, truth: readonly StoredBatch[]): string | undefined {
  if (refused !== undefined) return undefined
  const kept = batches.filter(({ batch }) => batch >= truth[0]!.batch)
  if (kept.length > 0 && kept[0]!.batch !== truth[0]!.batch) return `its first batch is ${kept[0]!.batch}`
  for (const [index, stored] of kept.entries()) {
    const expected = truth[index]
    if (!expected) return `it has batch ${stored.batch}, which was never stored`
    if (stored.batch !== expected.batch) return `batch ${stored.batch} stands where batch ${expected.batch} was`
    if (stored.events !== expected.events) return `batch ${stored.batch} has other events`
    if (stored.bodies !== undefined && stored.bodies !== expected.bodies)
      return `batch ${stored.batch} has other bodies`
  }
  return undefined
}

export function lastOf({ batches }: Reading): number {
  return batches.at(-1)?.batch ?? 0
}

/** A journal's file while it is open. */
class OpenFile {
  /** Nothing that was written can be relied on, so that closing it writes no more. */
  hasFailed = false
  readonly #writer: BatchWriter
  readonly #decoder = new EventDecoder()
  readonly #encoder = new EventEncoder()

  constructor(path: string) {
    this.#writer = new BatchWriter(path, 'strict')
  }

  *batches(): Generator<{ batch: number; events: Event[] }> {
    for (const { batch, events } of this.#writer.rows())
      yield { batch, events: this.#decoder.decode(batch, new TextDecoder().decode(events)) }
  }

  append(batch: number, bodies: Uint8Array<ArrayBuffer>): void {
    this.#writer.insert([{ batch, events: this.#encoder.encode(batch, []).slice(), bodies }])
  }

  [Symbol.dispose](): void {
    this.#writer.close(this.hasFailed)
  }
}

class OpenBodies {
  readonly #path: string
  readonly #reader: BatchReader

  constructor(path: string) {
    this.#path = path
    this.#reader = new BatchReader(path)
  }

  /** Undefined where they are refused as damaged. */
  digestOf(batch: number): string | undefined {
    try {
      return digest(this.#reader.bodies(batch))
    } catch (error) {
      const words = damageIn(error, this.#path)
      if (!words.includes(`batch ${batch} `)) throw error
      return undefined
    }
  }

  [Symbol.dispose](): void {
    this.#reader.close()
  }
}

/** The words of a damage, which have to name the file. Throws whatever else it is. */
function damageIn(error: unknown, path: string): string {
  if (!(error instanceof JournalDamagedError) || !error.message.includes(path)) throw error
  return error.message
}

function digest(content: string | Uint8Array): string {
  return createHash('sha1').update(content).digest('base64')
}
