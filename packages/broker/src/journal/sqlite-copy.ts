import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { EndMark } from './end-mark.ts'
import { JournalDamagedError } from './journal.ts'
import { openDatabase } from './sqlite-place.ts'
import { APPLICATION_ID } from './sqlite-schema.ts'

export interface JournalCopy {
  path: string
  /** The last batch in the copy. */
  batch: number
  bytes: number
}

/**
 * Copies a journal's file to a new one, whether or not a broker has it open. The copy is a consistent snapshot, is on
 * disk when this returns, and has its own end mark beside it. It uses SQLite's `VACUUM INTO`, which reads in one
 * transaction; the backup interface would start again at each commit.
 * @throws Error if there is a file at `target`, or none at `path`; JournalDamagedError if the file at `path` is no
 * journal
 */
export function copyJournal(path: string, target: string): JournalCopy {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) throw new Error(`there is no file ${path}`)
  const mark = new EndMark(`${target}-mark`)
  for (const there of [target, mark.path])
    if (existsSync(there)) throw new Error(`${there} exists: name a file that does not`)
  const part = `${target}-part`
  rmSync(part, { force: true })
  try {
    writeCopy(path, part)
    // Write the mark first, then sync the file, then give it its name. So the mark never names less than the file
    // holds.
    const batch = lastBatch(part)
    mark.write(batch)
    mark.close()
    sync(part)
    sync(mark.path)
    renameSync(part, target)
    sync(dirname(resolve(target)))
    return { path: target, batch, bytes: statSync(target).size }
  } catch (error) {
    rmSync(part, { force: true })
    if (!existsSync(target)) rmSync(mark.path, { force: true })
    throw error
  }
}

function writeCopy(path: string, part: string): void {
  const database = openDatabase(path, { readOnly: true })
  try {
    if (database.prepare('PRAGMA application_id').get()!.application_id !== APPLICATION_ID)
      throw new JournalDamagedError(`${path} is not a journal: it holds no tasks of a broker`)
    // The copy is as private as the original. SQLite accepts an empty file.
    writeFileSync(part, '', { flag: 'wx', mode: 0o600 })
    database.prepare('VACUUM INTO ?').run(part)
  } finally {
    database.close()
  }
}

function lastBatch(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return (database.prepare('SELECT max(batch) AS last FROM batches').get()!.last as number | null) ?? 0
  } finally {
    database.close()
  }
}

function sync(path: string): void {
  const file = openSync(path, 'r')
  fsyncSync(file)
  closeSync(file)
}
