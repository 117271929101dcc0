import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, test } from 'vitest'
import { createBroker } from '../../src/index.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { sqliteJournal } from '../../src/journal/sqlite.ts'
import { stoppedBy } from '../../src/journal/sqlite-error.ts'
import { append, loadAll, textBatch } from './batches.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function newPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-place-'))
  cleanups.push(() => rmSync(directory, { recursive: true }))
  return join(directory, 'broker.db')
}

function open(path: string): Journal {
  const journal = sqliteJournal({ path, durability: 'strict' })
  cleanups.push(() => journal.close())
  return journal
}

/** A journal that has stored a batch and is open. */
async function running(path: string): Promise<Journal> {
  const journal = open(path)
  await loadAll(journal)
  await append(journal, textBatch(1, 'a'))
  return journal
}

/** Another process that has the journal open. */
function otherProcess(path: string, user: { uid?: number; gid?: number } = {}) {
  const script = join(import.meta.dirname, 'sqlite-child.ts')
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'], ...user })
  const exited = once(child, 'exit')
  const end = () => {
    child.kill('SIGKILL')
    return exited
  }
  cleanups.push(end)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return { end, line: async () => (await lines.next()).value as string }
}

const failureOf = (journal: Journal) => new Promise<Error>((resolve) => journal.onFailure!(resolve))

test('[JOURNAL-15] a file with a hard link is refused under each of its names, whichever broker runs', async () => {
  const path = newPath()
  const first = await running(path)
  const link = `${path}.link`
  linkSync(path, link)
  await expect(loadAll(open(link))).rejects.toThrow(
    expect.objectContaining({
      name: 'JournalPlaceError',
      message: expect.stringMatching(/2 names \(hard links\).*remove the others/),
    }),
  )
  expect(existsSync(`${link}-lock`)).toBe(false)
  await first.close()
  await expect(loadAll(open(path))).rejects.toThrow('2 names')
  rmSync(link)
  expect((await loadAll(open(path))).last).toBe(1)
})

test.each<[string, (path: string, other: string) => void]>([
  ['renamed', renameSync],
  [
    'linked, and its first name removed',
    (path, other) => {
      linkSync(path, other)
      rmSync(path)
    },
  ],
])('[JOURNAL-15] a file that was %s while a broker has it open is refused at its new name', async (_, move) => {
  const path = newPath()
  const holder = otherProcess(path)
  expect(await holder.line()).toBe('open')
  const other = `${path}.other`
  move(path, other)
  await expect(loadAll(open(other))).rejects.toThrow(expect.objectContaining({ name: 'JournalLockedError' }))
  await holder.end()
  await loadAll(open(other))
})

test('[JOURNAL-15] a copy of a file that is open is another file', async () => {
  const path = newPath()
  await running(path)
  const copy = `${path}.copy`
  new DatabaseSync(path).exec(`VACUUM INTO '${copy}'`)
  expect((await loadAll(open(copy))).last).toBe(1)
})

test.each<[string, (path: string) => string, RegExp]>([
  [
    'removed',
    (path) => {
      rmSync(path)
      return path
    },
    /is gone while the broker ran/,
  ],
  [
    'replaced by a copy',
    (path) => {
      copyFileSync(path, `${path}.copy`)
      renameSync(`${path}.copy`, path)
      return path
    },
    /was replaced by another file while/,
  ],
  [
    'left without its log',
    (path) => {
      rmSync(`${path}-wal`)
      return `${path}-wal`
    },
    /-wal is gone while/,
  ],
  [
    'left without its lock',
    (path) => {
      rmSync(`${path}-lock`)
      return `${path}-lock`
    },
    /-lock is gone while/,
  ],
])('[JOURNAL-16] a journal whose file is %s fails by itself, and says so', async (_, spoil, message) => {
  const path = newPath()
  const journal = await running(path)
  const failed = failureOf(journal)
  const named = spoil(path)
  const failure = await failed
  expect(failure).toMatchObject({ name: 'JournalPlaceError', message: expect.stringMatching(message) })
  expect(failure.message).toContain(named)
  await expect(append(journal, textBatch(2, 'b'))).rejects.toBe(failure)
})

test('[JOURNAL-16] a journal whose file was taken away does nothing to what stands there now', async () => {
  const path = newPath()
  const journal = await running(path)
  const failed = failureOf(journal)
  const other = newPath()
  await running(other)
  const files = ['', '-wal', '-mark']
  for (const suffix of files) {
    copyFileSync(`${other}${suffix}`, `${path}.copy`)
    renameSync(`${path}.copy`, `${path}${suffix}`)
  }
  await failed
  const before = files.map((suffix) => readFileSync(`${path}${suffix}`).toString('base64'))
  await journal.close()
  expect(files.map((suffix) => readFileSync(`${path}${suffix}`).toString('base64'))).toEqual(before)
  expect((await loadAll(open(path))).last).toBe(1)
})

test('a link by name leads to the file that is looked at', async () => {
  const path = newPath()
  await (await running(path)).close()
  symlinkSync(path, `${path}.alias`)
  const journal = open(`${path}.alias`)
  await loadAll(journal)
  const failed = failureOf(journal)
  rmSync(path)
  expect((await failed).message).toContain(`${path} is gone`)
})

test('[JOURNAL-16] [HOST-5] a broker whose file is removed acknowledges nothing more, and is not ready', async () => {
  const path = newPath()
  const failed = Promise.withResolvers<Error>()
  const broker = await createBroker({ journal: { kind: 'sqlite', path }, port: 0, onFailure: failed.resolve })
  cleanups.push(() => broker.close())
  const submitted = () =>
    fetch(`${broker.httpUrl}/v1/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"queue":"q","body":1}',
    })
  expect((await submitted()).status).toBe(202)
  rmSync(path)
  expect((await failed.promise).message).toContain(`${path} is gone`)
  const ready = await fetch(`${broker.httpUrl}/readyz`)
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: 'read_only', reason: expect.stringContaining(`${path} is gone`) },
  ])
  expect((await submitted()).status).toBe(503)
})

test('a note of the place that cannot be read keeps no journal from opening', async () => {
  const path = newPath()
  await (await running(path)).close()
  const database = new DatabaseSync(path)
  database.exec("UPDATE meta SET value = '{' WHERE key = 'place'")
  database.close()
  expect((await loadAll(open(path))).last).toBe(1)
})

test('a disk that is full says what to do', () => {
  const path = newPath()
  const database = new DatabaseSync(path)
  database.exec('CREATE TABLE t(x); PRAGMA max_page_count = 3')
  let full: unknown
  try {
    database.exec('INSERT INTO t VALUES (hex(randomblob(100000)))')
  } catch (error) {
    full = error
  }
  database.close()
  expect(stoppedBy(path, full).message).toBe(
    `the journal ${path} stopped: database or disk is full (the disk is full, or a quota is used up: free some space)`,
  )
})

// Root may do everything: such a test runs as nobody.
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

test.runIf(process.getuid)('a file or a directory that this user may not write says what to do', async () => {
  const path = newPath()
  await (await running(path)).close()
  const directory = dirname(path)
  const opened = async () => otherProcess(path, nobody).line()
  chmodSync(directory, 0o555)
  cleanups.push(() => chmodSync(directory, 0o755))
  chmodSync(path, 0o444)
  expect(await opened()).toMatch(
    /^JournalPlaceError: .*cannot be opened: .* \(this user may not do that: change owner or mode/,
  )
  chmodSync(directory, 0o000)
  expect(await opened()).toMatch(/^JournalPlaceError: .*cannot be opened: EACCES.*chown, chmod/)
})
