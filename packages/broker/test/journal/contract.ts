import { afterEach, describe, expect, test } from 'vitest'
import { BATCH_BODY_BYTES_MAX, type Durability, type Journal } from '../../src/journal/journal.ts'
import { append, batchOfBodies, loadAll, textBatch } from './batches.ts'

async function read(journal: Journal, batch: number): Promise<Uint8Array> {
  return journal.read(batch)
}

interface Subject {
  name: string
  durability: Durability
  /** A new and empty place to store things; `open` opens the same place each time. */
  place(): { open(): Journal; remove(): void }
}

/** What every journal promises, whatever it stores things in. */
export function journalContract({ name, durability, place }: Subject): void {
  describe(name, () => {
    const cleanups: (() => void | Promise<void>)[] = []
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
    })

    function newPlace(): () => Journal {
      const { open, remove } = place()
      cleanups.push(remove)
      return () => {
        const journal = open()
        cleanups.push(() => journal.close())
        return journal
      }
    }

    async function opened(): Promise<Journal> {
      const journal = newPlace()()
      await loadAll(journal)
      return journal
    }

    test('says how durable it is', () => {
      expect(newPlace()().durability).toBe(durability)
    })

    test('a new journal is empty', async () => {
      const journal = newPlace()()
      expect(await loadAll(journal)).toEqual({ last: 0, batches: [] })
      expect(journal.stats()).toEqual({ batches: 0, bytes: 0 })
    })

    test('[JOURNAL-1] [JOURNAL-2] a load after reopening hands back every batch in order, as it was appended', async () => {
      const open = newPlace()
      const first = open()
      await loadAll(first)
      const batches = [1, 2, 3, 4, 5].map((batch) => textBatch(batch, `a${batch}`, '', `größe 照片 ${batch}`))
      for (const batch of batches) await append(first, batch)
      await first.close()

      const second = open()
      const { last, batches: loaded } = await loadAll(second)
      expect(last).toBe(5)
      expect(loaded).toStrictEqual(batches.map(({ batch, events }) => [batch, events]))
      expect(second.stats().batches).toBe(5)
      await append(second, textBatch(6, 'later'))
      expect((await loadAll(second)).last).toBe(6)
    })

    test('[JOURNAL-1] a batch that does not follow the last one is refused', async () => {
      for (const wrong of [0, 1, 3]) {
        const journal = await opened()
        await append(journal, textBatch(1, 'a'))
        await expect(append(journal, textBatch(wrong, 'b'))).rejects.toThrow(`batch ${wrong} does not follow batch 1`)
        expect(journal.stats().batches).toBe(1)
      }
    })

    test('[JOURNAL-1] appends made without waiting are stored in the order of the calls', async () => {
      const open = newPlace()
      const journal = open()
      await loadAll(journal)
      const done: number[] = []
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          await journal.append(textBatch(index + 1, `body ${index + 1}`))
          done.push(index + 1)
        }),
      )
      expect(done).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
      await journal.close()
      expect((await loadAll(open())).batches.map(([batch]) => batch)).toEqual(done)
    })

    test('[JOURNAL-6] bodies read back byte for byte, at once and after reopening', async () => {
      const open = newPlace()
      const journal = open()
      await loadAll(journal)
      const bodies = [
        new Uint8Array(),
        Uint8Array.from({ length: 256 }, (_, byte) => byte),
        new TextEncoder().encode('größe 照片'),
        Uint8Array.from({ length: 300_000 }, (_, index) => index * 7),
      ]
      const batch = batchOfBodies(1, bodies)
      const stored = Uint8Array.from(batch.bodies)
      await append(journal, batch)
      await append(journal, { batch: 2, events: [], bodies: new Uint8Array() })
      for (const reader of [journal, undefined]) {
        if (!reader) await journal.close()
        const from = reader ?? open()
        if (!reader) await loadAll(from)
        expect(Buffer.compare(await read(from, 1), stored)).toBe(0)
        expect((await read(from, 2)).length).toBe(0)
      }
    })

    test('[JOURNAL-6] bodies that view a part of a larger buffer are stored as that part', async () => {
      const journal = await opened()
      const whole = new TextEncoder().encode('xxxhelloyyy')
      await append(journal, { ...textBatch(1, 'hello'), bodies: whole.subarray(3, 8) })
      expect(new TextDecoder().decode(await read(journal, 1))).toBe('hello')
    })

    test('[JOURNAL-6] a batch that is not stored cannot be read', async () => {
      const journal = await opened()
      await append(journal, textBatch(1, 'a'))
      await expect(read(journal, 2)).rejects.toThrow('batch 2 is not stored')
    })

    test('[JOURNAL-8] says how many bytes of bodies a batch may have, no more than a ref can name', () => {
      const { batchBytesMax } = newPlace()()
      expect(batchBytesMax).toBeGreaterThan(0)
      expect(batchBytesMax).toBeLessThanOrEqual(BATCH_BODY_BYTES_MAX)
    })

    test('[JOURNAL-8] the largest batch is stored, a larger one is refused with both figures and leaves nothing', async () => {
      const open = newPlace()
      const journal = open()
      await loadAll(journal)
      const { batchBytesMax } = journal
      const largest = new Uint8Array(batchBytesMax)
      largest[batchBytesMax - 1] = 7
      await append(journal, batchOfBodies(1, [largest]))
      expect((await read(journal, 1))[batchBytesMax - 1]).toBe(7)
      const larger = { batch: 2, events: [], bodies: new Uint8Array(batchBytesMax + 1) }
      await expect(append(journal, larger)).rejects.toThrow(
        `${batchBytesMax + 1} bytes of bodies, where ${batchBytesMax} is the most`,
      )
      await journal.close()
      expect((await loadAll(open())).last).toBe(1)
    })

    test('[JOURNAL-5] appends made behind one that fails fail too, and nothing of them is stored', async () => {
      const open = newPlace()
      const journal = open()
      await loadAll(journal)
      const appends = [1, 2, 9, 3, 4].map((batch) => append(journal, textBatch(batch, `body ${batch}`)))
      const outcomes = (await Promise.allSettled(appends)).map(({ status }) => status)
      expect(outcomes.slice(2)).toEqual(['rejected', 'rejected', 'rejected'])
      await journal.close()
      const { last } = await loadAll(open())
      expect(last).toBeLessThanOrEqual(2)
      expect(outcomes.slice(last)).not.toContain('fulfilled')
    })

    test('[JOURNAL-5] after a failed append every later one fails too and says why', async () => {
      const journal = await opened()
      await append(journal, textBatch(1, 'a'))
      await expect(append(journal, textBatch(5, 'b'))).rejects.toThrow('does not follow')
      await expect(append(journal, textBatch(2, 'c'))).rejects.toThrow('batch 5 does not follow batch 1')
      expect(journal.stats().batches).toBe(1)
      expect(new TextDecoder().decode(await read(journal, 1))).toBe('a')
    })

    test('[JOURNAL-7] a discard forgets what is below it and nothing else', async () => {
      const open = newPlace()
      const journal = open()
      await loadAll(journal)
      for (let batch = 1; batch <= 20; batch++) await append(journal, textBatch(batch, 'x'.repeat(batch)))
      const { bytes } = journal.stats()
      await journal.discardBefore(15)
      expect(journal.stats().batches).toBe(6)
      expect(journal.stats().bytes).toBeLessThan(bytes)
      await expect(read(journal, 14)).rejects.toThrow('batch 14 is not stored')
      expect((await read(journal, 15)).length).toBe(15)
      await append(journal, textBatch(21, 'y'))
      await journal.discardBefore(3)
      const stats = journal.stats()
      await journal.close()
      const again = open()
      expect((await loadAll(again)).batches.map(([batch]) => batch)).toEqual([15, 16, 17, 18, 19, 20, 21])
      expect(again.stats()).toEqual(stats)
    })

    test('[JOURNAL-7] the numbers go on after everything was discarded', async () => {
      const open = newPlace()
      const journal = open()
      await loadAll(journal)
      await append(journal, textBatch(1, 'a'))
      await append(journal, textBatch(2, 'b'))
      await journal.discardBefore(100)
      await journal.close()
      const again = open()
      expect((await loadAll(again)).last).toBe(2)
      await append(again, textBatch(3, 'c'))
    })

    test('[JOURNAL-7] appends go on while a discard is under way', async () => {
      const journal = await opened()
      for (let batch = 1; batch <= 100; batch++) await append(journal, textBatch(batch, 'x'.repeat(50_000)))
      const discarded = Promise.resolve(journal.discardBefore(90))
      for (let batch = 101; batch <= 110; batch++) await append(journal, textBatch(batch, 'y'))
      await discarded
      expect((await loadAll(journal)).batches.map(([batch]) => batch)[0]).toBe(90)
      expect(journal.stats().batches).toBe(21)
    })

    test('closing twice is closing once, and a closed journal takes nothing', async () => {
      const journal = await opened()
      await append(journal, textBatch(1, 'a'))
      await journal.close()
      await journal.close()
      await expect(append(journal, textBatch(2, 'b'))).rejects.toThrow(/not open|closed/)
    })

    test('closing waits for the appends made before it', async () => {
      const open = newPlace()
      const journal = open()
      await loadAll(journal)
      const appends = [1, 2, 3].map((batch) => append(journal, textBatch(batch, 'a')))
      await journal.close()
      await Promise.all(appends)
      expect((await loadAll(open())).last).toBe(3)
    })
  })
}
