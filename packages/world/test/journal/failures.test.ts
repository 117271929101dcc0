import { describe, expect, test } from 'vitest'
import { batchOf, Machine, relaxed, seeds, slow, strict, upTo } from './machine.ts'

describe('a disk that fails', () => {
  test('every append fails from the first failure on, and works again after a new opening', () => {
    const machine = new Machine(1)
    const { journal } = machine.open(strict)
    void journal.append(batchOf(1))
    machine.disk.fail()
    expect(() => journal.append(batchOf(2))).toThrow('the simulated disk failed')
    expect(() => journal.append(batchOf(2))).toThrow('the simulated disk failed')
    machine.disk.crash()
    const { journal: next, last } = machine.open(strict)
    void next.append(batchOf(last + 1))
    expect(next.stats().batches).toBe(last + 1)
  })

  test('the batch that failed may be there afterwards or not', () => {
    const outcomes = new Set<string>()
    for (const seed of seeds) {
      const machine = new Machine(seed)
      const { journal } = machine.open(strict)
      void journal.append(batchOf(1))
      machine.disk.fail()
      expect(() => journal.append(batchOf(2))).toThrow()
      void journal.close()
      const { last } = machine.open(strict)
      outcomes.add(`${last} ${machine.lost?.type === 'lost' && machine.lost.torn}`)
    }
    expect([...outcomes].sort()).toEqual(['1 false', '1 true', '2 false'])
  })

  test('a failure that nothing met is over with the next opening', () => {
    const machine = new Machine(1)
    void machine.open(strict).journal.close()
    machine.disk.fail()
    const { journal } = machine.open(strict)
    void journal.append(batchOf(1))
    expect(journal.stats().batches).toBe(1)
  })

  test('appends that wait behind a failing one fail with it', async () => {
    const machine = new Machine(1)
    const { journal } = machine.open(slow)
    const appends = [1, 2, 3].map((batch) => journal.append(batchOf(batch)) as Promise<void>)
    machine.disk.fail()
    const settled = Promise.allSettled(appends)
    while (machine.clock.step());
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(machine.observed.filter(({ type }) => type === 'appended')).toEqual([])
  })

  test('nothing can be read from it either, until a new opening', () => {
    const machine = new Machine(1)
    const { journal } = machine.open(strict)
    void journal.append(batchOf(1))
    machine.disk.fail()
    expect(() => journal.read(1)).toThrow('the simulated disk failed')
    void journal.close()
    expect(machine.open(strict).stored).toEqual([1])
  })

  test('a relaxed journal is not synced by its closing', async () => {
    const outcomes = new Set<number>()
    for (const seed of seeds) {
      const machine = new Machine(seed)
      const { journal } = machine.open(relaxed)
      for (const batch of upTo(5)) void journal.append(batchOf(batch))
      machine.disk.fail()
      await journal.close()
      machine.disk.losePower()
      outcomes.add(machine.open(relaxed).last)
    }
    expect([...outcomes].sort()).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('a full disk refuses until it has room and the log is opened anew', () => {
    for (const seed of seeds) {
      const machine = new Machine(seed)
      const { journal } = machine.open(strict)
      void journal.append(batchOf(1))
      machine.disk.isFull = true
      expect(() => journal.append(batchOf(2))).toThrow('no space left')
      machine.disk.isFull = false
      expect(() => journal.append(batchOf(2))).toThrow('no space left')
      machine.disk.crash()
      const { journal: next, last } = machine.open(strict)
      void next.append(batchOf(last + 1))
    }
  })

  test('behind a write that failed nothing more is written, though the process is gone', () => {
    for (const seed of seeds) {
      const machine = new Machine(seed)
      const { journal } = machine.open(slow)
      for (const batch of upTo(3)) (journal.append(batchOf(batch)) as Promise<void>).catch(() => {})
      machine.disk.fail()
      machine.clock.step()
      machine.disk.crash()
      expect([[], [1]]).toContainEqual(machine.open(strict).stored)
    }
  })

  test('what a full disk was asked to store may be there in part, and its closing syncs nothing', () => {
    const outcomes = new Set<string>()
    for (const seed of seeds) {
      const machine = new Machine(seed)
      const { journal } = machine.open(relaxed)
      for (const batch of upTo(2)) void journal.append(batchOf(batch))
      machine.disk.isFull = true
      expect(() => journal.append(batchOf(3))).toThrow('no space left')
      void journal.close()
      if (seed % 2 === 0) machine.disk.losePower()
      const { last } = machine.open(relaxed)
      outcomes.add(`${seed % 2} ${last} ${machine.lost?.type === 'lost' && machine.lost.torn}`)
    }
    for (const outcome of ['0 0 false', '0 1 false', '1 2 true', '1 2 false']) expect(outcomes).toContain(outcome)
  })

  test('a slow disk takes longer by as much', () => {
    const machine = new Machine(1)
    const { journal } = machine.open(strict)
    machine.disk.slowByMs = 70
    void journal.append(batchOf(1))
    expect(machine.observed.at(-1)?.type).toBe('appending')
    machine.clock.step()
    expect(machine.clock.nowMs).toBe(70)
    expect(machine.observed.at(-1)).toEqual({ type: 'appended', batch: 1 })
  })
})
