import { VirtualClock } from '@sluice/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openJournal, SimulatedDisk } from '../../src/journal/index.ts'
import { RandomSource } from '../../src/random.ts'
import { accepted, batchOf, Machine, relaxed, seeds, slow, strict, upTo } from './machine.ts'

test('what a strict journal has stored survives a crash and a loss of power', () => {
  for (const seed of seeds) {
    const machine = new Machine(seed)
    const { journal } = machine.open(strict)
    for (const batch of upTo(5)) void journal.append(batchOf(batch))
    if (seed % 2 === 0) machine.disk.crash()
    else machine.disk.losePower()
    expect(machine.open(strict).stored).toEqual(upTo(5))
    expect(machine.lost).toBeUndefined()
  }
})

test('what a relaxed journal has stored survives a crash of its process', () => {
  for (const seed of seeds) {
    const machine = new Machine(seed)
    const { journal } = machine.open(relaxed)
    for (const batch of upTo(5)) void journal.append(batchOf(batch))
    machine.disk.crash()
    expect(machine.open(relaxed).stored).toEqual(upTo(5))
  }
})

test('of a relaxed journal a loss of power takes everything from some batch on, torn or not, and the rest goes on', () => {
  const outcomes = new Set<string>()
  for (const seed of seeds) {
    const machine = new Machine(seed)
    const { journal } = machine.open(relaxed)
    for (const batch of upTo(5)) void journal.append(batchOf(batch))
    machine.disk.losePower()
    const { journal: next, stored, last } = machine.open(relaxed)
    expect(stored).toEqual(upTo(last))
    const { lost } = machine
    if (last === 5) expect(lost).toBeUndefined()
    else expect(lost).toMatchObject({ type: 'lost', fromBatch: last + 1 })
    outcomes.add(`${last} ${lost?.type === 'lost' && lost.torn}`)
    void next.append(batchOf(last + 1))
    machine.disk.crash()
    expect(machine.open(relaxed).stored).toEqual(upTo(last + 1))
  }
  for (const outcome of ['0 true', '0 false', '2 true', '2 false', '4 true', '4 false', '5 false'])
    expect(outcomes).toContain(outcome)
})

test('a relaxed journal that was closed in good order is synced', async () => {
  for (const seed of seeds) {
    const machine = new Machine(seed)
    const { journal } = machine.open(relaxed)
    for (const batch of upTo(5)) void journal.append(batchOf(batch))
    await journal.close()
    machine.disk.losePower()
    expect(machine.open(relaxed).stored).toEqual(upTo(5))
  }
})

test('an append in flight may or may not outlive the crash, and is never answered', async () => {
  const outcomes = new Set<string>()
  for (const seed of seeds) {
    const machine = new Machine(seed)
    const { journal } = machine.open(slow)
    let answered = false
    const appends = [1, 2].map((batch) => journal.append(batchOf(batch)) as Promise<void>)
    for (const append of appends) append.finally(() => (answered = true)).catch(() => {})
    if (seed % 2 === 0) machine.disk.crash()
    else machine.disk.losePower()
    expect(machine.clock.pending).toBe(0)
    const { last, stored } = machine.open(strict)
    expect(stored).toEqual(upTo(last))
    outcomes.add(`${last} ${machine.lost?.type === 'lost' && machine.lost.torn}`)
    await Promise.resolve()
    expect(answered).toBe(false)
  }
  for (const outcome of ['0 true', '0 false', '1 true', '1 false', '2 false']) expect(outcomes).toContain(outcome)
})

test('a loss of power may undo a discard, and then it undoes whatever came after it', () => {
  const firsts = new Set<number | undefined>()
  for (const seed of seeds) {
    const machine = new Machine(seed)
    const { journal } = machine.open(strict)
    for (const batch of upTo(5)) void journal.append(batchOf(batch))
    void journal.discardBefore(4)
    machine.disk.losePower()
    const { stored, last } = machine.open(strict)
    expect(last).toBe(5)
    firsts.add(stored[0])
  }
  expect([...firsts].sort()).toEqual([1, 4])
})

test('a discard is as durable as the append that follows it', () => {
  for (const seed of seeds) {
    const machine = new Machine(seed)
    const { journal } = machine.open(strict)
    for (const batch of upTo(5)) void journal.append(batchOf(batch))
    void journal.discardBefore(4)
    void journal.append(batchOf(6))
    machine.disk.losePower()
    expect(machine.open(strict).stored).toEqual([4, 5, 6])
    expect(machine.observed.filter(({ type }) => type === 'discarded')).toEqual([{ type: 'discarded', before: 4 }])
    expect(machine.observed.at(-1)).toEqual({ type: 'recovered', incarnation: 2, firstBatch: 4, lastBatch: 6 })
  }
})

test('a torn write that was cleared away takes nothing else with it', () => {
  let torn = 0
  for (const seed of seeds) {
    const machine = new Machine(seed)
    const { journal } = machine.open(strict)
    for (const batch of upTo(3)) void journal.append(batchOf(batch))
    machine.disk.slowByMs = 5
    void journal.append(batchOf(4))
    machine.disk.crash()
    machine.disk.slowByMs = 0
    const { stored } = machine.open(strict)
    if (stored.length > 3) continue
    if (machine.lost?.type === 'lost' && machine.lost.torn) torn += 1
    machine.disk.losePower()
    expect(machine.open(strict).stored).toEqual(upTo(3))
  }
  expect(torn).toBeGreaterThan(20)
})

test('a journal that is closed discards nothing any more', () => {
  const machine = new Machine(1)
  const { journal } = machine.open(strict)
  for (const batch of upTo(3)) void journal.append(batchOf(batch))
  machine.disk.slowByMs = 5
  void journal.discardBefore(3)
  void journal.close()
  machine.disk.slowByMs = 0
  const { journal: next } = machine.open(strict)
  while (machine.clock.step());
  expect(next.stats().batches).toBe(3)
  machine.disk.crash()
  expect(machine.open(strict).stored).toEqual(upTo(3))
})

test('a log is open once at a time', () => {
  const machine = new Machine(1)
  const { journal } = machine.open(strict)
  expect(() => machine.open(strict)).toThrow('open already')
  void journal.close()
  machine.open(strict)
})

test('each opening tells what it recovered, by the number of the broker that opened it', () => {
  const machine = new Machine(1)
  const { journal } = machine.open(strict)
  void journal.append(batchOf(1))
  machine.disk.crash()
  machine.open(strict)
  expect(machine.observed).toEqual([
    { type: 'recovered', incarnation: 1, firstBatch: 1, lastBatch: 0 },
    { type: 'appending', batch: 1, events: [accepted(1)] },
    { type: 'appended', batch: 1 },
    { type: 'recovered', incarnation: 2, firstBatch: 1, lastBatch: 1 },
  ])
})

test('a process that cannot run hears of its appends later, and a crashed one never', async () => {
  const clock = new VirtualClock()
  const random = new RandomSource(1)
  const disk = new SimulatedDisk(random.stream('disk'))
  const waiting: (() => void)[] = []
  const observed: string[] = []
  const journal = openJournal(disk, {
    clock,
    random: random.stream('journal'),
    profile: slow,
    incarnation: 1,
    observe: ({ type }) => observed.push(type),
    enter: (fn) => waiting.push(fn),
  })
  await journal.load(() => {})
  const append = journal.append(batchOf(1))
  clock.step()
  expect(journal.stats().batches).toBe(1)
  expect(observed).toEqual(['recovered', 'appending'])
  waiting.shift()?.()
  await append
  expect(observed).toEqual(['recovered', 'appending', 'appended'])
})

test('whatever happens, what was acknowledged is there, whole and in order, and nothing else but what was asked to be stored', () => {
  const rare = ['discard', 'crash', 'losePower', 'close', 'fail', 'fill', 'passTime'] as const
  const step = fc.oneof({ weight: 6, arbitrary: fc.constant('append' as const) }, fc.constantFrom(...rare))
  fc.assert(
    fc.property(fc.nat(), fc.array(step, { maxLength: 60 }), fc.boolean(), (seed, steps, isSlow) => {
      const machine = new Machine(seed)
      const profile = isSlow ? slow : strict
      let { journal, last } = machine.open(profile)
      let acknowledged = 0
      let discardedTo = 1
      const note = (): void => {
        for (const seen of machine.observed) if (seen.type === 'appended') acknowledged = seen.batch
      }
      const reopen = (): void => {
        note()
        machine.observed.length = 0
        machine.disk.isFull = false
        const opened = machine.open(profile)
        expect(opened.last).toBeGreaterThanOrEqual(acknowledged)
        expect(opened.last).toBeLessThanOrEqual(last)
        const first = opened.stored[0] ?? opened.last + 1
        expect(opened.stored).toEqual(upTo(opened.last).slice(first - 1))
        expect(first).toBeLessThanOrEqual(discardedTo)
        // What a failed write left behind may be found, and be lost with the power still: only an append makes it last.
        ;({ journal, last } = opened)
      }
      for (const name of steps) {
        if (name === 'append') {
          last += 1
          try {
            Promise.resolve(journal.append(batchOf(last))).catch(() => {})
          } catch {
            machine.disk.crash()
            reopen()
          }
        } else if (name === 'discard') {
          note()
          discardedTo = Math.max(discardedTo, acknowledged)
          void journal.discardBefore(acknowledged)
        } else if (name === 'crash' || name === 'losePower') {
          machine.disk[name]()
          reopen()
        } else if (name === 'close') {
          void journal.close()
          while (machine.clock.step());
          reopen()
        } else if (name === 'fail') machine.disk.fail()
        else if (name === 'fill') machine.disk.isFull = true
        else machine.clock.step()
      }
    }),
    { numRuns: 500 },
  )
})
