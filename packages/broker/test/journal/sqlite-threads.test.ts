import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import type { Journal } from '../../src/journal/journal.ts'
import { sqliteJournal } from '../../src/journal/sqlite.ts'
import { append, loadAll, textBatch } from './batches.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function newPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-journal-'))
  cleanups.push(() => rmSync(directory, { recursive: true }))
  return join(directory, 'broker.db')
}

function open(path: string): Journal {
  const journal = sqliteJournal({ path, durability: 'strict' })
  cleanups.push(() => journal.close())
  return journal
}

async function loaded(path: string): Promise<Journal> {
  const journal = open(path)
  await loadAll(journal)
  return journal
}

/** Keeps all others from writing to the file, as a person does who edits it by hand, until it is called again. */
function holdWrites(path: string): () => void {
  const database = new DatabaseSync(path)
  database.exec('BEGIN IMMEDIATE')
  const end = () => database.isOpen && database.close()
  cleanups.push(end)
  return end
}

/** What has become of a promise by now. */
function watched(promise: Promise<unknown>): { state: 'pending' | 'fulfilled' | 'rejected' } {
  const seen: ReturnType<typeof watched> = { state: 'pending' }
  promise.then(
    () => (seen.state = 'fulfilled'),
    () => (seen.state = 'rejected'),
  )
  return seen
}

test('[JOURNAL-14] while an append waits, timers fire on time and stored bodies are read', async () => {
  const path = newPath()
  const journal = await loaded(path)
  await append(journal, textBatch(1, 'hello'))
  await journal.read(1)
  const release = holdWrites(path)
  const slow = append(journal, textBatch(2, 'slow'))
  const seen = watched(slow)
  const latesMs: number[] = []
  const untilMs = performance.now() + 1000
  while (performance.now() < untilMs) {
    const startMs = performance.now()
    await sleep(10)
    latesMs.push(performance.now() - startMs - 10)
    expect(new TextDecoder().decode(await journal.read(1))).toBe('hello')
  }
  expect(seen.state).toBe('pending')
  // A loop that waited for the disk would have fired one timer, a second late. Half of them tell of no busy machine.
  expect(latesMs.length).toBeGreaterThan(10)
  expect(latesMs.sort((a, b) => a - b)[latesMs.length >> 1]).toBeLessThan(20)
  release()
  await slow
  expect(new TextDecoder().decode(await journal.read(2))).toBe('slow')
})

test('[JOURNAL-1] [JOURNAL-14] appends that wait for the disk are stored in their order, and read once they are stored', async () => {
  const path = newPath()
  const journal = await loaded(path)
  const release = holdWrites(path)
  const done: number[] = []
  const appends = Array.from({ length: 20 }, async (_, index) => {
    await journal.append(textBatch(index + 1, `body ${index + 1}`))
    done.push(index + 1)
  })
  const read = (async () => journal.read(17))()
  const seen = watched(read)
  await sleep(100)
  expect([seen.state, done]).toEqual(['pending', []])
  release()
  expect(new TextDecoder().decode(await read)).toBe('body 17')
  await Promise.all(appends)
  expect(done).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  expect(journal.stats().batches).toBe(20)
})

test('[JOURNAL-5] [JOURNAL-3] where one of the appends that wait fails, those that did not resolve are not stored', async () => {
  const path = newPath()
  const journal = await loaded(path)
  await append(journal, textBatch(1, 'a'))
  const release = holdWrites(path)
  const database = new DatabaseSync(path)
  release()
  database.exec(
    "CREATE TRIGGER full BEFORE INSERT ON batches WHEN NEW.batch = 4 BEGIN SELECT RAISE(ABORT, 'disk is full'); END",
  )
  database.close()
  const outcomes = await Promise.allSettled([2, 3, 4, 5, 6].map((batch) => append(journal, textBatch(batch, 'a'))))
  expect(outcomes.slice(2).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  await expect(append(journal, textBatch(4, 'a'))).rejects.toThrow(`the journal ${path} stopped: disk is full`)
  const stored = outcomes.filter(({ status }) => status === 'fulfilled').length
  expect(journal.stats().batches).toBe(1 + stored)
  await journal.close()
  expect((await loadAll(open(path))).last).toBe(1 + stored)
})

test('[JOURNAL-5] an append that waits for too long stops the journal, and tells why with the code of SQLite', async () => {
  const path = newPath()
  const journal = await loaded(path)
  holdWrites(path)
  const outcomes = await Promise.allSettled([1, 2].map((batch) => append(journal, textBatch(batch, 'a'))))
  for (const outcome of [...outcomes, ...(await Promise.allSettled([append(journal, textBatch(3, 'a'))]))])
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: {
        name: 'Error',
        message: `the journal ${path} stopped: database is locked`,
        cause: { code: 'ERR_SQLITE_ERROR', errcode: 5 },
      },
    })
})

test('a close waits for appends that wait for the disk', async () => {
  const path = newPath()
  const journal = await loaded(path)
  const release = holdWrites(path)
  const appends = Promise.all([1, 2, 3].map((batch) => append(journal, textBatch(batch, 'a'))))
  const closed = Promise.resolve(journal.close())
  const seen = watched(closed)
  await sleep(100)
  expect(seen.state).toBe('pending')
  release()
  await appends
  await closed
  expect((await loadAll(open(path))).last).toBe(3)
})

test('a journal that is closed while it opens says so, and frees the file', async () => {
  const path = newPath()
  const journal = open(path)
  const load = loadAll(journal)
  await Promise.all([expect(load).rejects.toThrow('is closed'), journal.close()])
  expect((await loaded(path)).stats().batches).toBe(0)
})

test('more events than are handed over at a time are handed over whole and in order', async () => {
  const path = newPath()
  const journal = await loaded(path)
  const texts = Array.from({ length: 2000 }, (_, index) => `${index}`)
  for (let batch = 1; batch <= 30; batch++) await append(journal, textBatch(batch, ...texts))
  const { batches } = await loadAll(journal)
  expect(batches).toStrictEqual(batches.map(([batch]) => [batch, textBatch(batch, ...texts).events]))
  expect(batches.map(([batch]) => batch)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1))
})

test('an error of the one who takes the events up ends the load, and the next load has all', async () => {
  const path = newPath()
  const journal = await loaded(path)
  for (let batch = 1; batch <= 30; batch++)
    await append(journal, textBatch(batch, ...Array.from({ length: 2000 }, (_, index) => `${index}`)))
  await expect(
    (async () =>
      journal.load((batch) => {
        if (batch === 3) throw new Error('no room')
      }))(),
  ).rejects.toThrow('no room')
  expect((await loadAll(journal)).batches.length).toBe(30)
})

test('[JOURNAL-5] the end of the thread that writes fails what waits for it, and frees the file', async () => {
  const path = newPath()
  const threads = startedThreads()
  const journal = await loaded(path)
  await append(journal, textBatch(1, 'a'))
  const release = holdWrites(path)
  const waiting = Promise.allSettled([append(journal, textBatch(2, 'b')), append(journal, textBatch(3, 'c'))])
  const read = journal.read(3)
  await threads[0]!.terminate()
  const reason = { message: expect.stringContaining(`the journal ${path} stopped: its thread ended`) }
  expect(await waiting).toMatchObject([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ])
  await expect(read).rejects.toMatchObject(reason)
  await expect(append(journal, textBatch(4, 'd'))).rejects.toMatchObject(reason)
  await journal.close()
  release()
  expect((await loadAll(open(path))).last).toBe(1)
})

test('[JOURNAL-5] the end of the thread that reads fails what waits for it, and the journal', async () => {
  const path = newPath()
  const threads = startedThreads()
  const journal = await loaded(path)
  await append(journal, textBatch(1, 'a'))
  const reads = Promise.allSettled([journal.read(1), journal.read(1)])
  await sleep(0)
  await threads[1]!.terminate()
  const reason = { message: expect.stringContaining('its thread ended') }
  for (const outcome of await reads) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(reason)
  await expect((async () => journal.read(1))()).rejects.toMatchObject(reason)
  await expect(append(journal, textBatch(2, 'b'))).rejects.toMatchObject(reason)
  await journal.close()
  expect((await loadAll(open(path))).last).toBe(1)
})

/** The threads that are started from now on, in order: one that writes, and then one that reads. */
function startedThreads(): Worker[] {
  const threads: Worker[] = []
  const started = (thread: Worker) => threads.push(thread)
  process.on('worker', started)
  cleanups.push(() => process.off('worker', started))
  return threads
}

test.each<[string, string, string]>([
  [
    'appends under way are stored before the process ends by itself',
    'for (const n of [1, 2, 3]) journal.append(textBatch(n, "x".repeat(1e6)))',
    '3',
  ],
  ['nothing under way lets the process end', 'await journal.append(textBatch(1, "a")); await journal.read(1)', '1'],
  ['a closed journal lets the process end', 'await journal.append(textBatch(1, "a")); await journal.close()', '1'],
  [
    'process.exit ends it at once',
    'await journal.append(textBatch(1, "a")); setInterval(() => {}, 1000); process.exit(0)',
    '1',
  ],
])('%s', async (_, script, last) => {
  const path = newPath()
  const program = `
    import { sqliteJournal } from ${JSON.stringify(new URL('../../src/journal/sqlite.ts', import.meta.url).href)}
    import { textBatch } from ${JSON.stringify(new URL('./batches.ts', import.meta.url).href)}
    const journal = sqliteJournal({ path: ${JSON.stringify(path)}, durability: 'strict' })
    await journal.load(() => {})
    ${script}
  `
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { timeout: 20_000 })
  expect(String((await loadAll(open(path))).last)).toBe(last)
})
