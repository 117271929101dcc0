import { expect, test } from 'vitest'
import { Run } from '../../src/engine/run.ts'
import { ganttOf } from '../../src/view/gantt.ts'
import { troubledScenario } from './troubled-scenario.ts'

const run = new Run({ scenario: troubledScenario, seed: 1, changes: [] })
await run.reach(60_000)
const whole = run.gantt(0, 60_000)

test('every handler that began is one span, and no two share a row at one time', () => {
  expect(whole.spans.length).toBe(
    run.seen.filter(({ type, atMs }) => type === 'handlerStarted' && atMs <= 60_000).length,
  )
  expect(whole.workers).toEqual(['worker-1', 'worker-2', 'worker-3', 'worker-4'].map((name) => ({ name, rows: 2 })))
  for (const { name, rows } of whole.workers)
    for (let slot = 0; slot < rows; slot += 1) {
      const row = whole.spans.filter((span) => span.worker === name && span.slot === slot)
      expect(row.length).toBeGreaterThan(0)
      for (const [at, { fromMs }] of row.entries())
        if (at > 0) expect(fromMs).toBeGreaterThanOrEqual(row[at - 1]?.untilMs ?? Number.POSITIVE_INFINITY)
    }
})

test('a span says how its handler ended', () => {
  const count = (how: string): number => whole.spans.filter((span) => span.how === how).length
  expect(count('returned')).toBeGreaterThan(300)
  expect(count('threw')).toBeGreaterThan(0)
  expect(count('stopped')).toBeGreaterThan(0)
  // worker-1 has crashed at 25 s with both slots busy.
  const lost = whole.spans.filter(({ how }) => how === 'lost')
  expect(lost.map(({ worker, untilMs }) => [worker, untilMs])).toEqual([
    ['worker-1', 25_000],
    ['worker-1', 25_000],
  ])
  const duplicates = whole.spans.filter(({ isDuplicate }) => isDuplicate)
  expect(duplicates.length).toBe(run.measures(60_000).now.totals.duplicates)
  for (const { id, fromMs } of duplicates)
    expect(whole.spans.some((other) => other.id === id && other.fromMs < fromMs)).toBe(true)
})

test('a part of the time shows what touches it, and what goes on at its end as running', () => {
  const part = run.gantt(20_000, 24_900)
  expect(part.spans.every(({ fromMs, untilMs = 24_900 }) => fromMs <= 24_900 && untilMs >= 20_000)).toBe(true)
  const expected = whole.spans.filter(({ fromMs, untilMs = 60_000 }) => fromMs <= 24_900 && untilMs >= 20_000)
  expect(part.spans.map(({ id, attempt }) => [id, attempt])).toEqual(expected.map(({ id, attempt }) => [id, attempt]))
  expect(part.spans.filter(({ how }) => how === 'running').every(({ untilMs }) => untilMs === undefined)).toBe(true)
  expect(part.spans.filter(({ how }) => how === 'running').length).toBe(run.measures(24_900).now.busySlots)
})

test('tasks have the numbers that the stage shows', () => {
  const { tasks } = run.show(30_000).stage
  const numbers = new Map(tasks.map(({ id, number }) => [id, `#${number}`]))
  const shown = run.gantt(29_000, 30_000).spans.filter(({ id }) => numbers.has(id))
  expect(shown.length).toBeGreaterThan(3)
  for (const { id, task } of shown) expect(task).toBe(numbers.get(id))
})

test('a run that has forgotten its beginning numbers tasks as before', async () => {
  const short = new Run({ scenario: troubledScenario, seed: 1, changes: [] }, { keptMax: 4000 })
  await short.reach(60_000)
  expect(short.show(0).fromMs).toBeGreaterThan(30_000)
  const last = short.gantt(58_000, 60_000).spans.map(({ id, task }) => [id, task])
  expect(last).toEqual(
    whole.spans.filter(({ untilMs = 60_000 }) => untilMs >= 58_000).map(({ id, task }) => [id, task]),
  )
})

test('where nothing ran there is nothing', () => {
  expect(ganttOf([], 0, 1000)).toEqual({ fromMs: 0, untilMs: 1000, workers: [], spans: [] })
})
