import { createHash } from 'node:crypto'
import { type Journal, JournalDamagedError, sqliteJournal } from '@sluice/broker/journal'
import { createState, engineConfig, replay } from '@sluice/engine'

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

/** Opens a journal and reads every batch with its bodies. Throws what is no `JournalDamagedError`. */
export function readJournal(path: string): Reading {
  const batches: StoredBatch[] = []
  let journal: Journal | undefined
  try {
    journal = sqliteJournal({ path, durability: 'strict' })
    journal.load((batch, events) => {
      batches.push({ batch, events: digest(JSON.stringify(events)), bodies: undefined })
    })
    for (const stored of batches) stored.bodies = bodiesOf(journal, stored.batch, path)
    return { batches }
  } catch (error) {
    return { refused: damageIn(error, path), batches: [] }
  } finally {
    journal?.close()
  }
}

/** The tasks that a broker knows which has taken up a journal as far as this batch. */
export function tasksKnown(path: string, last = Number.POSITIVE_INFINITY): Set<string> {
  const state = createState(engineConfig({}))
  const journal = sqliteJournal({ path, durability: 'strict' })
  try {
    journal.load((batch, events) => {
      if (batch <= last) for (const event of events) replay(state, event)
    })
  } finally {
    journal.close()
  }
  return new Set([...state.tasks.values()].map(({ id }) => id))
}

/**
 * Appends batches of bodies alone to a journal that loads, as its next user would. Returns what was stored, which is less
 * than was given where the journal stopped because of a damage.
 */
export function appendTo(path: string, bodies: readonly Uint8Array[]): StoredBatch[] {
  const journal = sqliteJournal({ path, durability: 'strict' })
  const stored: StoredBatch[] = []
  try {
    let batch = journal.load(() => {}) as number
    for (const bytes of bodies) {
      journal.append({ batch: ++batch, events: [], bodies: bytes })
      stored.push({ batch, events: digest('[]'), bodies: digest(bytes) })
    }
  } catch (error) {
    damageIn(error, path)
  } finally {
    journal.close()
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

function bodiesOf(journal: Journal, batch: number, path: string): string | undefined {
  try {
    return digest(journal.read(batch) as Uint8Array)
  } catch (error) {
    const words = damageIn(error, path)
    if (!words.includes(`batch ${batch} `)) throw error
    return undefined
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
