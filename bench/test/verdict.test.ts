import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { deadOutcome, isDeadOutcome } from '../src/torture/outcome.ts'
import type { ToldTask } from '../src/torture/producer.ts'
import { seededRandom } from '../src/torture/random.ts'
import { parseStarts, StartLog } from '../src/torture/start-log.ts'
import { changedOutcomes, countDuplicates, liveDuring } from '../src/torture/verdict.ts'

const kill = { fromMs: 100, untilMs: 120 }

function told(...tasks: ToldTask[]): Map<string, ToldTask> {
  return new Map(tasks.map((task) => [task.id, task]))
}

test('a worker’s log is read back', () => {
  expect(parseStarts('12.5 a\n13 b\n')).toEqual([
    { id: 'a', atMs: 12.5 },
    { id: 'b', atMs: 13 },
  ])
})

test('a log is read bit by bit, each start once, and emptied where it has grown long', () => {
  const directory = mkdtempSync(join(tmpdir(), 'start-log-'))
  try {
    const log = new StartLog(join(directory, 'worker.log'), 1000)
    appendFileSync(log.path, '1 a\n2 b\n')
    expect(log.next()).toEqual([
      { id: 'a', atMs: 1 },
      { id: 'b', atMs: 2 },
    ])
    expect(log.next()).toEqual([])
    appendFileSync(log.path, '3 c\n'.repeat(300))
    expect(log.next()).toHaveLength(300)
    expect(statSync(log.path).size).toBe(0)
    appendFileSync(log.path, '4 d\n')
    expect(log.next()).toEqual([{ id: 'd', atMs: 4 }])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

describe('a lease was live at the kill', () => {
  test('where the handler had started and no outcome was told', () => {
    expect(liveDuring([{ id: 'a', atMs: 90 }], told({ id: 'a' }), kill)).toBe(1)
    expect(liveDuring([{ id: 'a', atMs: 90 }], told({ id: 'a', outcome: 'x', toldMs: 130 }), kill)).toBe(1)
  })

  test('where the delivered task started while the victim was away', () => {
    expect(liveDuring([{ id: 'a', atMs: 110 }], told({ id: 'a' }), kill)).toBe(1)
  })

  test('not where the outcome had been told or the start came after the restart', () => {
    expect(liveDuring([{ id: 'a', atMs: 90 }], told({ id: 'a', outcome: 'x', toldMs: 99 }), kill)).toBe(0)
    expect(liveDuring([{ id: 'a', atMs: 121 }], told({ id: 'a' }), kill)).toBe(0)
  })

  test('once, however often its handler started', () => {
    const starts = [
      { id: 'a', atMs: 90 },
      { id: 'a', atMs: 95 },
    ]
    expect(liveDuring(starts, told({ id: 'a' }), kill)).toBe(1)
  })
})

test('a start is a duplicate after any earlier start of its task, in this round or before', () => {
  const started = new Set<string>()
  expect(
    countDuplicates(
      [
        { id: 'a', atMs: 1 },
        { id: 'b', atMs: 2 },
        { id: 'a', atMs: 3 },
      ],
      started,
    ),
  ).toBe(1)
  expect(
    countDuplicates(
      [
        { id: 'b', atMs: 4 },
        { id: 'c', atMs: 5 },
      ],
      started,
    ),
  ).toBe(1)
})

test('an outcome has changed where the record differs from what was told, or is gone', () => {
  const tasks = [{ id: 'a', outcome: 'x' }, { id: 'b', outcome: 'y' }, { id: 'c', outcome: 'z' }, { id: 'd' }]
  const recorded = new Map([
    ['a', 'x'],
    ['b', 'other'],
    ['c', undefined],
  ])
  expect(changedOutcomes(tasks, recorded)).toEqual(['b', 'c'])
})

test('a result whose word begins with dead is no dead letter', () => {
  expect(isDeadOutcome('deaddf47-7df9-4fac-b1ec-32bb2b813b46')).toBe(false)
  expect(isDeadOutcome(deadOutcome('lease_expired', 5, undefined))).toBe(true)
})

test('equal seeds give equal moments', () => {
  const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed))
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
  for (const value of draw(7)) expect(value >= 0 && value < 1).toBe(true)
})
