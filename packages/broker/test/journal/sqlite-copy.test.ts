import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { copyJournal, createBroker, JournalDamagedError } from '../../src/index.ts'

let directory: string
const at = (name: string) => join(directory, name)
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-copy-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const started = (name: string) => createBroker({ journal: { kind: 'sqlite', path: at(name) }, port: 0 })
type Broker = Awaited<ReturnType<typeof started>>

async function submit(broker: Broker, count: number): Promise<void> {
  const response = await fetch(`${broker.httpUrl}/v1/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ queue: 'q', tasks: Array.from({ length: count }, () => ({ body: 'x'.repeat(100) })) }),
  })
  expect(response.status).toBe(202)
}

async function readyIn(broker: Broker): Promise<number> {
  const { queues } = (await (await fetch(`${broker.httpUrl}/v1/queues`)).json()) as { queues: { ready: number }[] }
  return queues[0]?.ready ?? 0
}

test('a copy made under load holds what was accepted before it, and a broker goes on with it', async () => {
  const broker = await started('live.db')
  await submit(broker, 1000)
  let accepted = 0
  let isCopied = false
  const load = (async () => {
    for (; !isCopied; accepted += 10) await submit(broker, 10)
  })()
  await expect.poll(() => accepted).toBeGreaterThan(0)
  const before = accepted
  // In this thread: the journal's own goes on writing meanwhile.
  const { batch, bytes } = copyJournal(at('live.db'), at('copy.db'))
  isCopied = true
  await load
  await broker.close()
  expect(bytes).toBe(statSync(at('copy.db')).size)
  expect(statSync(at('copy.db')).mode & 0o777).toBe(0o600)
  const copy = new DatabaseSync(at('copy.db'), { readOnly: true })
  expect(copy.prepare('SELECT max(batch) AS last FROM batches').get()).toEqual({ last: batch })
  copy.close()
  const restored = await started('copy.db')
  const held = await readyIn(restored)
  expect(held).toBeGreaterThanOrEqual(1000 + before)
  await submit(restored, 5)
  await restored.close()
  const again = await started('copy.db')
  expect(await readyIn(again)).toBe(held + 5)
  await again.close()
})

test('the mark beside a copy tells when its end is gone', async () => {
  const broker = await started('live.db')
  await submit(broker, 10)
  copyJournal(at('live.db'), at('old.db'))
  await submit(broker, 10)
  copyJournal(at('live.db'), at('new.db'))
  await broker.close()
  renameSync(at('old.db'), at('new.db'))
  await expect(started('new.db')).rejects.toThrow(JournalDamagedError)
  await expect(started('new.db')).rejects.toThrow(
    `it is an older copy. Restore the file from a newer copy; or, to go on without what is missing, remove ${at('new.db')}-mark, ${at('new.db')}-wal and ${at('new.db')}-shm`,
  )
  for (const end of ['-mark', '-wal', '-shm']) rmSync(at(`new.db${end}`), { force: true })
  const restored = await started('new.db')
  expect(await readyIn(restored)).toBe(10)
  await restored.close()
})

test('nothing is written over, and nothing is left where a copy fails', async () => {
  const broker = await started('live.db')
  await broker.close()
  writeFileSync(at('there.db'), 'mine')
  expect(() => copyJournal(at('live.db'), at('there.db'))).toThrow('exists')
  writeFileSync(at('other.db-mark'), 'mine')
  expect(() => copyJournal(at('live.db'), at('other.db'))).toThrow('other.db-mark exists')
  expect(() => copyJournal(at('none.db'), at('copy.db'))).toThrow('there is no file')
  const foreign = new DatabaseSync(at('foreign.db'))
  foreign.exec('CREATE TABLE mine(x)')
  foreign.close()
  expect(() => copyJournal(at('foreign.db'), at('copy.db'))).toThrow('is not a journal')
  expect(() => copyJournal(at('live.db'), at('none/copy.db'))).toThrow()
  expect(readdirSync(directory).filter((name) => name.startsWith('copy'))).toEqual([])
  expect(existsSync(at('none.db'))).toBe(false)
})
