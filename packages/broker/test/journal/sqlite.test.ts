import { type ChildProcess, spawn } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import type { Event, EventOf } from '@sluice/engine'
import { afterEach, expect, test } from 'vitest'
import type { Journal } from '../../src/journal/journal.ts'
import { type SqliteJournalOptions, sqliteJournal } from '../../src/journal/sqlite.ts'
import { append, batchOfBodies, loadAll, textBatch } from './batches.ts'
import { journalContract } from './contract.ts'

for (const durability of ['strict', 'relaxed'] as const)
  journalContract({
    name: `sqlite journal, ${durability}`,
    durability,
    place() {
      const directory = mkdtempSync(join(tmpdir(), 'sluice-journal-'))
      return {
        open: () => sqliteJournal({ path: join(directory, 'broker.db'), durability }),
        remove: () => rmSync(directory, { recursive: true }),
      }
    },
  })

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function newPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-journal-'))
  cleanups.push(() => rmSync(directory, { recursive: true }))
  return join(directory, 'made', 'broker.db')
}

function open(path: string, durability: SqliteJournalOptions['durability'] = 'strict'): Journal {
  const journal = sqliteJournal({ path, durability })
  cleanups.push(() => journal.close())
  return journal
}

async function stored(path: string, batches: number): Promise<void> {
  const journal = open(path)
  await loadAll(journal)
  for (let batch = 1; batch <= batches; batch++) await append(journal, textBatch(batch, `a${batch}`, `b${batch}`))
  await journal.close()
}

/** What a person with the sqlite3 program does. */
function sql(path: string, text: string): Record<string, unknown>[] {
  const database = new DatabaseSync(path)
  try {
    return database.prepare(text).all()
  } finally {
    database.close()
  }
}

interface Child {
  process: ChildProcess
  /** The next line it says. */
  line(): Promise<string>
  /** Ends it with SIGKILL; resolves to the lines not yet read. */
  kill(): Promise<string[]>
}

/** `limit` is the size in blocks past which the system writes no file of it. */
function child(path: string, durability: string, appends = 0, limit = 'unlimited'): Child {
  const script = join(import.meta.dirname, 'sqlite-child.ts')
  const command = [process.execPath, script, path, durability, String(appends)]
  const spawned = spawn('sh', ['-c', 'ulimit -f "$0"; exec "$@"', limit, ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  cleanups.push(() => spawned.kill('SIGKILL'))
  const lines = createInterface({ input: spawned.stdout })[Symbol.asyncIterator]()
  return {
    process: spawned,
    async line() {
      const { value, done } = await lines.next()
      if (done) throw new Error('the child said nothing more')
      return value
    },
    async kill() {
      spawned.kill('SIGKILL')
      const rest: string[] = []
      for await (const line of lines) rest.push(line)
      return rest
    },
  }
}

test('[JOURNAL-9] a second opening in the same process is refused, and leaves the first one its lock', async () => {
  const path = newPath()
  const first = open(path)
  await loadAll(first)
  for (let attempt = 0; attempt < 2; attempt++)
    await expect(loadAll(open(path))).rejects.toThrow(
      expect.objectContaining({ name: 'JournalLockedError', message: expect.stringContaining('another broker') }),
    )
  expect(await child(path, 'strict').line()).toMatch(/^JournalLockedError: .* is in use by another broker/)
  await first.close()
  await loadAll(open(path))
})

test('[JOURNAL-9] the end of the other process frees the file, however it comes', async () => {
  const path = newPath()
  const other = child(path, 'strict')
  expect(await other.line()).toBe('open')
  await expect(loadAll(open(path))).rejects.toThrow('in use by another broker')
  await other.kill()
  await loadAll(open(path))
})

test('[JOURNAL-9] the same file under another name is the same file', async () => {
  const path = newPath()
  await stored(path, 1)
  const alias = `${path}.alias`
  symlinkSync(path, alias)
  await loadAll(open(path))
  await expect(loadAll(open(alias))).rejects.toThrow('in use by another broker')
})

test.each<[string, (path: string) => void]>([
  ['is no lock', (path) => writeFileSync(path, 'no database '.repeat(1000))],
  ['cannot be opened', (path) => mkdirSync(path)],
])('a file in the place of the lock that %s is named', async (_, spoil) => {
  const path = newPath()
  await stored(path, 1)
  rmSync(`${path}-lock`)
  spoil(`${path}-lock`)
  await expect(loadAll(open(path))).rejects.toThrow(
    expect.objectContaining({
      name: 'JournalPlaceError',
      message: expect.stringContaining(`${path}-lock cannot be opened: `),
    }),
  )
})

test('[JOURNAL-9] others query the open file with SQL', async () => {
  const path = newPath()
  const journal = open(path)
  await loadAll(journal)
  const batch = textBatch(1, 'a', 'b', 'c')
  const [, second] = batch.events.flatMap((event) => (event.type === 'tasksAccepted' ? event.ids : []))
  const atMs = 1_700_000_000_009
  await append(journal, batch)
  await append(journal, {
    batch: 2,
    bodies: new Uint8Array(),
    events: [
      { type: 'sessionOpened', session: 'w', roles: ['worker'], atMs: 3 },
      { type: 'leasesGranted', session: 'w', lease: 1, tasks: [1000], atMs },
      { type: 'taskCancelled', id: second!, forgetAtMs: atMs + 5, atMs },
    ],
  })
  expect(sql(path, 'SELECT batch, type, task FROM events WHERE batch = 2 ORDER BY position')).toEqual([
    { batch: 2, type: 'sessionOpened', task: null },
    { batch: 2, type: 'leasesGranted', task: null },
    { batch: 2, type: 'taskCancelled', task: second },
  ])
  expect(sql(path, 'SELECT state, queue, tasks FROM tasks_by_state ORDER BY state')).toEqual([
    { state: 'cancelled', queue: 'photos', tasks: 1 },
    { state: 'leased', queue: 'photos', tasks: 1 },
    { state: 'waiting', queue: 'photos', tasks: 1 },
  ])
  await append(journal, {
    batch: 3,
    bodies: new Uint8Array(),
    events: [{ type: 'oldestForgotten', tasks: [1001], atMs }],
  })
  expect(sql(path, 'SELECT state FROM tasks ORDER BY state')).toEqual([{ state: 'leased' }, { state: 'waiting' }])
})

test.each<[string, (id: string) => Event]>([
  ['by itself', (id) => ({ type: 'taskForgotten', id, atMs: 1_700_000_000_009 })],
  ['with others', () => ({ type: 'oldestForgotten', tasks: [1000], atMs: 1_700_000_000_009 })],
])('[JOURNAL-9] a query tells of an id that was forgotten %s and came again, once', async (_, forgotten) => {
  const path = newPath()
  const journal = open(path)
  await loadAll(journal)
  const first = textBatch(1, 'a', 'b')
  const [accepted] = first.events as [EventOf<'tasksAccepted'>]
  const [id] = accepted.ids
  await append(journal, first)
  await append(journal, {
    batch: 2,
    bodies: new Uint8Array(),
    events: [
      { type: 'taskCancelled', id: id!, forgetAtMs: 1_700_000_000_008, atMs: 1_700_000_000_008 },
      forgotten(id!),
    ],
  })
  const tasks = 'SELECT task, queue, state FROM tasks ORDER BY task'
  const other = { task: accepted.ids[1], queue: 'photos', state: 'waiting' }
  expect(sql(path, tasks)).toEqual([other])
  const again = batchOfBodies(3, [new Uint8Array()], 'mail')
  const [event] = again.events as [EventOf<'tasksAccepted'>]
  await append(journal, { ...again, events: [{ ...event, ids: [id!] }] })
  expect(sql(path, tasks)).toEqual([{ task: id, queue: 'mail', state: 'waiting' }, other])
})

test('[JOURNAL-10] damaged events are named and not handed over', async () => {
  const path = newPath()
  await stored(path, 3)
  sql(
    path,
    "UPDATE batches SET events = CAST(replace(CAST(events AS TEXT), 'photos', 'photo5') AS BLOB) WHERE batch = 2",
  )
  const journal = open(path)
  const seen: number[] = []
  await expect(journal.load((batch) => seen.push(batch))).rejects.toThrow(
    expect.objectContaining({ name: 'JournalDamagedError', message: expect.stringMatching(/batch 2 .*checksum/) }),
  )
  expect(seen).toEqual([1])
})

test('[JOURNAL-10] damaged bodies are named and not handed over', async () => {
  const path = newPath()
  await stored(path, 3)
  sql(path, "UPDATE batches SET bodies = CAST('a2b3' AS BLOB) WHERE batch = 2")
  const journal = open(path)
  expect((await loadAll(journal)).last).toBe(3)
  expect((await journal.read(3)).length).toBe(4)
  await expect((async () => journal.read(2))()).rejects.toThrow(/batch 2 has bodies that do not match/)
})

test('[JOURNAL-10] a whole batch under another number is damage', async () => {
  const path = newPath()
  await stored(path, 3)
  sql(path, 'UPDATE batches SET batch = -batch WHERE batch > 1')
  sql(path, 'UPDATE batches SET batch = 5 + batch WHERE batch < 0')
  await expect(loadAll(open(path))).rejects.toThrow(/batch 2 .*checksum/)
})

test('[JOURNAL-1] the numbers go on past 32 bits', async () => {
  const path = newPath()
  await stored(path, 1)
  const last = 2 ** 32 - 1
  const database = new DatabaseSync(path)
  const { events, bodies } = database.prepare('SELECT events, bodies FROM batches').get() as Record<string, Uint8Array>
  const checksums = [events!, bodies!].map((bytes) => crc32(bytes, last))
  database.prepare('UPDATE batches SET batch = ?, events_crc32 = ?, bodies_crc32 = ?').run(last, ...checksums)
  database.close()
  const journal = open(path)
  expect((await loadAll(journal)).last).toBe(last)
  const further = [1, 2, 3].map((n) => textBatch(last + n, `body ${n}`))
  for (const batch of further) await append(journal, batch)
  await journal.close()
  const again = open(path)
  const { batches } = await loadAll(again)
  expect(batches.slice(1)).toStrictEqual(further.map(({ batch, events }) => [batch, events]))
  expect(new TextDecoder().decode(await again.read(last + 2))).toBe('body 2')
})

test('[JOURNAL-10] a batch that is missing between two others is named', async () => {
  const path = newPath()
  await stored(path, 4)
  sql(path, 'DELETE FROM batches WHERE batch = 3')
  await expect(loadAll(open(path))).rejects.toThrow(/batch 3 is missing/)
})

test('[JOURNAL-10] a page that was overwritten is damage, not an answer', async () => {
  const path = newPath()
  const journal = open(path)
  await loadAll(journal)
  for (let batch = 1; batch <= 4; batch++) await append(journal, textBatch(batch, 'x'.repeat(200_000)))
  await journal.close()
  const file = readFileSync(path)
  file.fill(0xa5, 5 * 16_384, 6 * 16_384)
  writeFileSync(path, file)
  await expect(
    (async () => {
      const damaged = open(path)
      const { last } = await loadAll(damaged)
      for (let batch = 1; batch <= last; batch++) await damaged.read(batch)
    })(),
  ).rejects.toThrow(expect.objectContaining({ name: 'JournalDamagedError' }))
})

test.each([
  ['events', 'hex(zeroblob(0))', 'events that do not match'],
  ['events', 'CAST(events AS TEXT)', 'events that do not match'],
  ['bodies', 'CAST(bodies AS TEXT)', 'bodies that do not match'],
  ['bodies_crc32', '9223372036854775807', 'cannot be read'],
])('[JOURNAL-10] a value of another type is damage: %s = %s', async (column, value, message) => {
  const path = newPath()
  await stored(path, 3)
  sql(path, `UPDATE batches SET ${column} = ${value} WHERE batch = 2`)
  const journal = open(path)
  await expect(
    (async () => {
      await loadAll(journal)
      await journal.read(2)
    })(),
  ).rejects.toThrow(
    expect.objectContaining({ name: 'JournalDamagedError', message: expect.stringMatching(`batch 2 .*${message}`) }),
  )
})

test.each([
  ['ALTER TABLE batches RENAME COLUMN events TO event5'],
  ['ALTER TABLE batches RENAME TO batche5'],
  ['DROP TABLE meta'],
  ['DELETE FROM meta'],
])('[JOURNAL-10] a file whose schema is not as it was made is damage, and left as it is: %s', async (change) => {
  const path = newPath()
  await stored(path, 3)
  sql(path, 'DROP VIEW tasks_by_state')
  for (const view of ['tasks', 'profiles', 'events']) sql(path, `DROP VIEW ${view}`)
  sql(path, change)
  const before = readFileSync(path)
  await expect(loadAll(open(path))).rejects.toThrow(
    expect.objectContaining({ name: 'JournalDamagedError', message: expect.stringContaining(path) }),
  )
  expect(readFileSync(path).equals(before)).toBe(true)
})

test('[JOURNAL-10] a page whose order changed is damage before anything is written', async () => {
  const path = newPath()
  await stored(path, 3)
  const page = Number(sql(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'batches'")[0]!.rootpage)
  // The address of its first free block: nothing reads it before the next write.
  flipBit(path, (page - 1) * 16_384 + 1)
  const before = readFileSync(path)
  await expect(loadAll(open(path))).rejects.toThrow(
    expect.objectContaining({ name: 'JournalDamagedError', message: expect.stringContaining(path) }),
  )
  expect(readFileSync(path).equals(before)).toBe(true)
})

test('[JOURNAL-10] damage that shows at an append is named, and takes nothing with it', async () => {
  const path = newPath()
  await stored(path, 3)
  // The count of free pages, of which there are none.
  flipBit(path, 39)
  const journal = open(path)
  await loadAll(journal)
  await expect(append(journal, textBatch(4, 'x'.repeat(50_000)))).rejects.toThrow(
    expect.objectContaining({ name: 'JournalDamagedError', message: expect.stringContaining(path) }),
  )
  await journal.close()
  const again = open(path)
  expect((await loadAll(again)).last).toBe(3)
  for (const batch of [1, 2, 3]) expect((await again.read(batch)).length).toBe(4)
})

/** A journal whose three batches were acknowledged and whose process was killed before they were folded into the file. */
async function killed(): Promise<string> {
  const path = newPath()
  const writer = child(path, 'strict', 3)
  for (const line of ['open', '1', '2', '3']) expect(await writer.line()).toBe(line)
  await writer.kill()
  return path
}

function flipBit(path: string, byte: number): void {
  const bytes = readFileSync(path)
  bytes[byte]! ^= 1
  writeFileSync(path, bytes)
}

test.each<[string, (path: string) => void, string]>([
  ['its log was cut', (path) => truncateSync(`${path}-wal`, statSync(`${path}-wal`).size - 1), 'batch 2'],
  ['its log was cut to nothing', (path) => truncateSync(`${path}-wal`, 0), 'no batch'],
  ['its log is gone', (path) => rmSync(`${path}-wal`), 'no batch'],
  ['a bit of its log’s header changed', (path) => flipBit(`${path}-wal`, 17), 'no batch'],
  ['a bit of its log changed', (path) => flipBit(`${path}-wal`, statSync(`${path}-wal`).size - 9), 'batch 2'],
])(
  '[JOURNAL-13] a journal that ends before the last acknowledged batch is refused and left as it is: %s',
  async (_, spoil, end) => {
    const path = await killed()
    spoil(path)
    // A log that is gone and an empty one are the same to SQLite.
    const content = (of: string) => (existsSync(of) ? readFileSync(of).toString('base64') : '')
    const files = () => [content(path), content(`${path}-wal`)]
    const before = files()
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(loadAll(open(path))).rejects.toThrow(
        expect.objectContaining({
          name: 'JournalDamagedError',
          message: expect.stringMatching(
            new RegExp(`${path} ends with ${end}, but batch 3 was acknowledged.*${path}-mark`),
          ),
        }),
      )
    expect(files()).toEqual(before)
    rmSync(`${path}-mark`)
    const { last } = await loadAll(open(path))
    expect(last).toBe(end === 'batch 2' ? 2 : 0)
  },
)

test('[JOURNAL-13] a file that was emptied or taken away is refused, and its log is kept', async () => {
  const path = await killed()
  const log = readFileSync(`${path}-wal`)
  const spoils = [
    () => truncateSync(path, 99),
    () => truncateSync(path, 0),
    () => rmSync(path),
    () => rmSync(`${path}-mark`),
  ]
  for (const spoil of spoils) {
    spoil()
    await expect(loadAll(open(path))).rejects.toThrow(
      expect.objectContaining({ name: 'JournalDamagedError', message: expect.stringContaining(`${path} is empty`) }),
    )
    expect(readFileSync(`${path}-wal`).equals(log)).toBe(true)
  }
})

test('[JOURNAL-13] an unreadable mark, an older one, or none keeps no journal from opening', async () => {
  const path = newPath()
  await stored(path, 2)
  copyFileSync(`${path}-mark`, `${path}-old`)
  const journal = open(path)
  await loadAll(journal)
  await append(journal, textBatch(3, 'c'))
  await journal.close()
  for (const spoil of [
    () => copyFileSync(`${path}-old`, `${path}-mark`),
    () => flipBit(`${path}-mark`, 3),
    () => truncateSync(`${path}-mark`, 5),
    () => rmSync(`${path}-mark`),
  ]) {
    spoil()
    const again = open(path)
    expect((await loadAll(again)).last).toBe(3)
    await again.close()
  }
})

test('[JOURNAL-11] a file of a newer version is refused and left as it is', async () => {
  const path = newPath()
  await stored(path, 1)
  sql(path, "UPDATE meta SET value = 99 WHERE key = 'schema_version'")
  sql(path, 'PRAGMA wal_checkpoint(TRUNCATE)')
  const before = readFileSync(path)
  await expect(loadAll(open(path))).rejects.toThrow(/newer Sluice \(schema 99, where this one knows 1\)/)
  expect(readFileSync(path).equals(before)).toBe(true)
  sql(path, "UPDATE meta SET value = 1 WHERE key = 'schema_version'")
  expect((await loadAll(open(path))).last).toBe(1)
})

test('[JOURNAL-11] a database of another program is refused and left as it is', async () => {
  const path = join(newPath(), '..', '..', 'other.db')
  sql(path, 'CREATE TABLE notes(text)')
  const before = readFileSync(path)
  await expect(loadAll(open(path))).rejects.toThrow('a database of another program')
  expect(readFileSync(path).equals(before)).toBe(true)
})

test('[JOURNAL-11] a file that is no database is refused and left as it is', async () => {
  const path = join(newPath(), '..', '..', 'photo.jpg')
  writeFileSync(path, 'no database '.repeat(1000))
  await expect(loadAll(open(path))).rejects.toThrow(
    expect.objectContaining({ name: 'JournalDamagedError', message: expect.stringContaining(path) }),
  )
  expect(readFileSync(path, 'utf8')).toBe('no database '.repeat(1000))
})

test('[JOURNAL-12] what is made is private to the user', async () => {
  const path = newPath()
  const journal = open(path)
  await loadAll(journal)
  await append(journal, textBatch(1, 'a'))
  const mode = (of: string) => statSync(of).mode & 0o777
  expect(mode(join(path, '..'))).toBe(0o700)
  for (const suffix of ['', '-wal', '-shm', '-lock', '-mark'])
    expect([suffix, mode(path + suffix)]).toEqual([suffix, 0o600])
})

test.each(['', ':memory:', 'file:broker.db?mode=memory'])('the path %j is refused', (path) => {
  expect(() => sqliteJournal({ path, durability: 'strict' })).toThrow(/must name a file/)
})

test('[JOURNAL-5] a disk that fails stops the journal for good', async () => {
  const path = newPath()
  const journal = open(path)
  await loadAll(journal)
  await append(journal, textBatch(1, 'a'))
  sql(path, "CREATE TRIGGER full BEFORE INSERT ON batches BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
  await expect(append(journal, textBatch(2, 'b'))).rejects.toThrow(/stopped: disk is full/)
  sql(path, 'DROP TRIGGER full')
  await expect(append(journal, textBatch(2, 'b'))).rejects.toThrow(/stopped: disk is full/)
  expect(sql(path, 'SELECT batch FROM batches')).toEqual([{ batch: 1 }])
})

test('[JOURNAL-5] a journal that failed leaves its files alone when it is closed, and the next opening folds them anew', async () => {
  const path = newPath()
  const journal = open(path)
  await loadAll(journal)
  await append(journal, textBatch(1, 'a'))
  await expect(append(journal, textBatch(3, 'c'))).rejects.toThrow('does not follow')
  const files = () => [path, `${path}-wal`].map((of) => readFileSync(of).toString('base64'))
  const before = files()
  await journal.close()
  expect(files()).toEqual(before)
  expect((await loadAll(open(path))).last).toBe(1)
  expect(statSync(`${path}-wal`).size).toBe(0)
})

test('a journal that failed can be closed when its file is out of reach, and is not in use any more', async () => {
  const path = newPath()
  const journal = open(path)
  await loadAll(journal)
  await append(journal, textBatch(1, 'a'))
  await expect(append(journal, textBatch(3, 'c'))).rejects.toThrow('does not follow')
  for (const suffix of ['', '-wal', '-shm', '-mark']) rmSync(`${path}${suffix}`)
  await journal.close()
  expect(await loadAll(open(path))).toEqual({ last: 0, batches: [] })
})

test('a closed journal says so, and not that it is damaged', async () => {
  const path = newPath()
  const journal = open(path)
  await loadAll(journal)
  await append(journal, textBatch(1, 'a'))
  await journal.close()
  await expect((async () => journal.read(1))()).rejects.toThrow(
    expect.objectContaining({ name: 'Error', message: `the journal ${path} is closed` }),
  )
})

test('[JOURNAL-5] a write that the system refuses is named with the file, at the opening and at an append', async () => {
  const path = newPath()
  await stored(path, 1)
  expect(await child(path, 'strict', 0, '1').line()).toMatch(
    `JournalPlaceError: ${path} cannot be opened: disk I/O error`,
  )
  const writer = child(path, 'strict', 1_000_000, '500')
  const lines = [await writer.line()]
  while (!lines.at(-1)!.startsWith('Error')) lines.push(await writer.line())
  expect(lines.at(-1)).toMatch(/^Error: the journal .*broker\.db stopped: (disk I\/O error|database or disk is full)/)
  await writer.kill()
  expect((await loadAll(open(path))).last).toBe(Number(lines.at(-2)))
})

test('a discard frees pages that later batches use again', async () => {
  const path = newPath()
  const journal = open(path, 'relaxed')
  await loadAll(journal)
  let batch = 0
  const fill = async () => {
    for (let count = 0; count < 60; count++) await append(journal, textBatch(++batch, 'x'.repeat(100_000)))
    await journal.discardBefore(batch)
  }
  const pages = () => Number(sql(path, 'PRAGMA page_count')[0]?.page_count)
  await fill()
  const once = pages()
  for (let round = 0; round < 4; round++) await fill()
  expect(pages()).toBeLessThan(once * 1.5)
})

test.each(['strict', 'relaxed'])(
  '[JOURNAL-3] [JOURNAL-4] kill -9 loses no acknowledged batch (%s)',
  async (durability) => {
    const path = newPath()
    let acknowledged = 0
    for (let round = 0; round < 3; round++) {
      const writer = child(path, durability, 1_000_000)
      expect(await writer.line()).toBe('open')
      for (let lines = 0; lines < 150 + round * 37; lines++) acknowledged = Number(await writer.line())
      acknowledged = Number((await writer.kill()).filter((line) => /^\d+$/.test(line)).at(-1) ?? acknowledged)

      const journal = open(path)
      const { last, batches } = await loadAll(journal)
      expect(last === acknowledged || last === acknowledged + 1).toBe(true)
      for (const [batch, events] of batches) {
        const expected = textBatch(batch, `body of ${batch}`, 'x'.repeat(batch % 50_000))
        expect(events).toStrictEqual(expected.events)
        expect(Buffer.compare(await journal.read(batch), expected.bodies)).toBe(0)
      }
      await journal.close()
    }
    expect(acknowledged).toBeGreaterThan(500)
  },
)
