import { expect, test } from 'vitest'
import { memoryJournal } from '../../src/journal/memory.ts'
import { append, loadAll, textBatch } from './batches.ts'
import { journalContract } from './contract.ts'

journalContract({
  name: 'memory journal',
  durability: 'memory',
  place() {
    const journal = memoryJournal()
    return { open: () => journal, remove: () => {} }
  },
})

test('without its events a memory journal keeps bodies and numbers', async () => {
  const journal = memoryJournal({ keepEvents: false })
  await loadAll(journal)
  await append(journal, textBatch(1, 'hello'))
  expect(await loadAll(journal)).toEqual({ last: 1, batches: [] })
  expect(journal.stats()).toEqual({ batches: 1, bytes: 5 })
  expect(new TextDecoder().decode(await journal.read(1))).toBe('hello')
})

test('nothing is appended before a load', async () => {
  await expect(append(memoryJournal(), textBatch(1, 'a'))).rejects.toThrow('not open')
})
