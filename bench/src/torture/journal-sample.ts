import { startBroker } from '../broker.ts'
import { Processes } from '../child.ts'
import { Scratch } from '../machine.ts'
import { sleep, until } from '../wait.ts'
import { JournalCopy, type JournalFiles, readFiles } from './journal-copy.ts'
import { readJournal, type StoredBatch, tasksKnown } from './journal-reading.ts'
import type { ToldTask } from './producer.ts'
import { wholeBetween } from './random.ts'
import { Witness } from './witness.ts'

/** A journal as kill -9 left it, with all that is known of it from elsewhere. */
export interface JournalSample {
  files: JournalFiles
  /** What the journal holds. */
  truth: readonly StoredBatch[]
  /** The tasks that were acknowledged, and the outcomes that were told. */
  told: readonly ToldTask[]
  /** By id, the key of the body that was submitted. */
  keys: ReadonlyMap<string, string>
  /** What the journal does not hold although it was acknowledged and has no outcome, in words. */
  missing: readonly string[]
}

/**
 * `log`: all is in the log. `folded`: a restart has folded a part into the file. `wrapped`: so much was written that the
 * log was folded in and begun anew, with batches discarded meanwhile.
 */
export const shapes = ['log', 'folded', 'wrapped'] as const
export type Shape = (typeof shapes)[number]

const loadMs: Record<Shape, number> = { log: 150, folded: 150, wrapped: 1500 }
/** So that the last transactions are small ones, as those of a quiet queue are. */
const tasksAtEnd = 4

/** Runs a real broker under load and kills it. */
export async function sampleJournal(shape: Shape, random: () => number): Promise<JournalSample> {
  using scratch = new Scratch()
  await using processes = new Processes()
  const path = scratch.file('journal.db')
  const hosting = { compactEveryMs: 100, compactBytesMin: 1_000_000 }
  const engine = { queueResultsMax: shape === 'wrapped' ? 100 : 100_000 }
  const settings = { durability: 'strict', path, hosting, engine } as const
  let broker = await startBroker(processes, settings)
  const port = Number(new URL(broker.url).port)
  await using witness = new Witness({ url: broker.url, random, inFlight: 10, fillerMax: 3000, workMsMax: 5 })
  witness.work()
  witness.submit()
  await until('the first task is accepted', async () => witness.accepted.length > 0, 10_000)
  await sleep(loadMs[shape] * (0.5 + random()))
  if (shape === 'folded') {
    await broker.child.kill()
    broker = await startBroker(processes, { ...settings, port })
    await sleep(loadMs[shape] * (0.5 + random()))
  }
  if (random() < 0.5) {
    await witness.settled(10_000)
    for (let count = wholeBetween(random, 1, tasksAtEnd); count > 0; count--) await witness.submitOne()
  }
  await broker.child.kill()
  const files = readFiles(path)
  using copy = new JournalCopy()
  copy.lay(files)
  const { refused, batches } = readJournal(copy.path)
  if (refused !== undefined) throw new Error(`a journal that nothing spoiled is refused: ${refused}`)
  const known = tasksKnown(copy.path)
  const told = [...witness.accepted]
  const missing = told
    .filter(({ id, outcome }) => outcome === undefined && !known.has(id))
    .map(({ id }) => `acknowledged task ${id} is not in the journal`)
  return { files, truth: batches, told, keys: witness.keys, missing }
}
