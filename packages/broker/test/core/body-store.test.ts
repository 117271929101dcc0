import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BodyStore, bodyRun } from '../../src/core/body-store.ts'
import type { BodyRef, Journal } from '../../src/journal/journal.ts'
import { memoryJournal } from '../../src/journal/memory.ts'

/** A journal of bodies alone, which counts how often it is read. */
function bodiesJournal() {
  const batches: Uint8Array[] = [new Uint8Array()]
  const journal = {
    ...memoryJournal(),
    durability: 'strict',
    reads: 0,
    read(batch: number) {
      journal.reads += 1
      return batches[batch]!
    },
  } satisfies Journal & { reads: number }
  return { journal, batches }
}

/** Every batch that has been sealed can be read. */
const allStored = { durable: Number.POSITIVE_INFINITY, whenDurable: async () => true }

/** The bytes of a body, which no other body has. */
function bodyOf(number: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (number * 31 + index * 7) & 0xff)
}

const batchSizes = fc.array(fc.array(fc.nat({ max: 90 }), { maxLength: 4 }), { minLength: 1, maxLength: 60 })

test('each body is found as it was stored, whatever the cache has room for, and that is never more than it may', () => {
  fc.assert(
    fc.property(batchSizes, fc.nat({ max: 600 }), fc.infiniteStream(fc.nat()), (sizes, cacheBytesMax, picks) => {
      const { journal, batches } = bodiesJournal()
      const store = new BodyStore(journal, cacheBytesMax, allStored)
      const stored: { ref: BodyRef; bytes: Uint8Array }[] = []
      for (const [index, lengths] of sizes.entries()) {
        store.begin(index + 1)
        for (const length of lengths) {
          const bytes = bodyOf(stored.length, length)
          stored.push({ ref: store.stage(bytes), bytes })
        }
        batches.push(store.seal())
        expect(store.cachedBytes).toBeLessThanOrEqual(cacheBytesMax)
        store.begin(index + 2)
        if (stored.length === 0) continue
        // Some that lie in the cache and some that do not, which takes the place of those.
        const wanted = Array.from({ length: 5 }, () => stored[(picks.next().value as number) % stored.length]!)
        const runs = wanted.map(({ ref, bytes }) => bodyRun(ref, bytes.length))
        expect(store.fill(runs)).toBeUndefined()
        expect(runs.map((run) => run.bytes)).toEqual(wanted.map(({ bytes }) => bytes))
        expect(store.cachedBytes).toBeLessThanOrEqual(cacheBytesMax)
      }
    }),
    { numRuns: 300 },
  )
})

test('what was stored last is not read from the journal', () => {
  const { journal, batches } = bodiesJournal()
  const store = new BodyStore(journal, 1000, allStored)
  const runs = []
  for (let batch = 1; batch <= 50; batch++) {
    store.begin(batch)
    runs.push(bodyRun(store.stage(bodyOf(batch, 100)), 100))
    batches.push(store.seal())
  }
  store.begin(51)
  void store.fill(runs.slice(-10))
  expect(journal.reads).toBe(0)
  expect(store.cachedBytes).toBe(1000)
  void store.fill(runs.slice(0, 1))
  expect(journal.reads).toBe(1)
})

test('a read that fails at once leaves none alone that was begun before it', async () => {
  const { journal } = bodiesJournal()
  const read = (batch: number) => {
    if (batch === 2) throw new Error('batch 2 is not there')
    return Promise.reject(new Error('batch 1 is not there'))
  }
  const store = new BodyStore({ ...journal, read }, 0, allStored)
  const runs = []
  for (const batch of [1, 2]) {
    store.begin(batch)
    runs.push(bodyRun(store.stage(bodyOf(batch, 9)), 9))
  }
  store.begin(3)
  const filling = store.fill(runs)
  await expect(filling).rejects.toThrow('batch 1 is not there')
})

test('a batch that is on its way to the disk is read once it is stored', async () => {
  const { journal, batches } = bodiesJournal()
  let stored = (_isDurable: boolean): void => {}
  const whenDurable = (): Promise<boolean> =>
    new Promise((resolve) => {
      stored = resolve
    })
  const store = new BodyStore(journal, 0, { durable: 0, whenDurable })
  store.begin(1)
  const run = bodyRun(store.stage(bodyOf(1, 9)), 9)
  const sealed = store.seal()
  store.begin(2)
  const filling = store.fill([run])
  expect(journal.reads).toBe(0)
  batches.push(sealed)
  stored(true)
  await filling
  expect(run.bytes).toEqual(bodyOf(1, 9))
  const failing = store.fill([run])
  stored(false)
  await expect(failing).rejects.toThrow('batch 1 was not stored')
})
