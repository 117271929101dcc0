import { type Checker, defaultScenario, runWorld, type Scenario, type Surroundings } from '@sluice/world'
import { expect, test } from 'vitest'
import { Arrivals } from '../../src/engine/arrivals.ts'
import { Run } from '../../src/engine/run.ts'
import { Backlog } from '../../src/view/backlog.ts'
import type { Seen } from '../../src/view/fold.ts'
import { MeasuresFold } from '../../src/view/measures.ts'
import { Rows } from '../../src/view/rows.ts'
import type { SeriesName } from '../../src/view/series.ts'
import { troubledScenario } from './troubled-scenario.ts'

const calm: Scenario = { ...defaultScenario, durationMs: 60_000 }

async function runOf(scenario: Scenario, untilMs = 60_000): Promise<Run> {
  const run = new Run({ scenario, seed: 1, changes: [] })
  await run.reach(untilMs)
  return run
}

const INSTANTS = [500, 4999.5, 12_000, 26_400, 38_000, 44_000, 59_999]

/** The measures at these instants, as text. */
const textsOf = (run: Run, instants: readonly number[]): string[] =>
  instants.map((atMs) =>
    JSON.stringify(run.measures(atMs), (_, value) => (value instanceof Float64Array ? [...value] : value)),
  )

test.each([calm, troubledScenario])(
  'rows of $name add up to the totals, and there is one for each second',
  async (scenario) => {
    const run = await runOf(scenario)
    const { times, series, now, bucketMs } = run.measures(60_000)
    expect(bucketMs).toBe(1000)
    expect([...times]).toEqual(Array.from({ length: 60 }, (_, at) => (at + 1) * 1000))
    const sum = (name: SeriesName): number => series[name].reduce((total, value) => total + value, 0)
    for (const name of ['submitted', 'succeeded', 'inTime', 'busy', 'retries', 'duplicates'] as const)
      expect(sum(name), name).toBeCloseTo(now.totals[name])
    const { counts } = run.show(60_000).stage
    expect(now.totals.submitted).toBe(counts.submitted)
    expect(now.totals.succeeded).toBe(counts.succeeded)
    expect(now.totals.busy).toBe(counts.busy)
  },
)

test('an instant has the same measures whether the run comes to it or returns to it', async () => {
  const run = await runOf(troubledScenario)
  const forwards = textsOf(run, INSTANTS)
  expect(textsOf(run, INSTANTS.toReversed()).toReversed()).toEqual(forwards)
  const other = await runOf(troubledScenario)
  expect(textsOf(other, [INSTANTS[4] as number])).toEqual([forwards[4]])
})

test('after a change the rows before it stay, and those after it are of the new run', async () => {
  const run = await runOf(calm)
  const before = run.measures(60_000)
  run.change(30_000, { type: 'arrivals', group: 0, arrivals: { kind: 'steady', rate: 20 } })
  await run.reach(60_000)
  const after = run.measures(60_000)
  expect(after.series.submitted.slice(0, 30)).toEqual(before.series.submitted.slice(0, 30))
  expect(after.series.submitted.slice(31).every((perS) => perS > 30)).toBe(true)
  // What was shown before is not changed behind the reader's back.
  expect(before.series.submitted.slice(31).every((perS) => perS < 20)).toBe(true)
})

test('what a fault does is in the numbers', async () => {
  const run = await runOf(troubledScenario)
  const { series, now } = run.measures(60_000)
  // The broker is down from 10 s to 13 s.
  expect([...series.succeeded.slice(10, 13)]).toEqual([0, 0, 0])
  expect(Math.max(...series.busy)).toBeGreaterThan(0)
  // worker-1 has crashed: two slots of eight are gone for a second, and its tasks come back.
  expect(run.measures(25_500).now.slots).toBe(6)
  expect(run.measures(27_000).now.slots).toBe(8)
  expect(now.totals.retries).toBeGreaterThan(0)
  expect(now.totals.duplicates).toBeGreaterThan(0)
  expect(now.totals.cancelled).toBeGreaterThan(0)
  expect(Math.max(...series.oldestMs)).toBeGreaterThan(1000)
  const shares = [...series.utilisation].filter((share) => !Number.isNaN(share))
  expect(Math.max(...shares)).toBeLessThanOrEqual(1)
  for (const row of series.p50.keys())
    if (!Number.isNaN(series.p50[row] as number)) {
      expect(series.p95[row]).toBeGreaterThanOrEqual(series.p50[row] as number)
      expect(series.p99[row]).toBeGreaterThanOrEqual(series.p95[row] as number)
    }
})

test('what is added by hand counts among the slots', async () => {
  const run = await runOf(calm, 20_000)
  run.change(10_000, { type: 'workers', group: 0, count: 6 })
  await run.reach(20_000)
  expect(run.measures(9000).now.slots).toBe(8)
  expect(run.measures(19_000).now.slots).toBe(12)
  run.change(15_000, { type: 'concurrency', group: 0, concurrency: 5 })
  await run.reach(20_000)
  expect(run.measures(19_000).now.slots).toBe(30)
})

test('goodput leaves out what came too late for an impatient user', async () => {
  const [group] = defaultScenario.producers
  const impatient = { ...group, patienceMs: 200, impatientRetriesMax: 1 } as Scenario['producers'][number]
  const run = await runOf({ ...calm, producers: [impatient] })
  const { totals } = run.measures(60_000).now
  expect(totals.inTime).toBeGreaterThan(0)
  expect(totals.inTime).toBeLessThan(totals.succeeded)
})

test('in a steady run L is λ × W, and L is the mean of what waits and runs', async () => {
  const run = await runOf({
    ...calm,
    producers: [{ ...calm.producers[0], arrivals: { kind: 'steady', rate: 4 } }],
  } as Scenario)
  const { little, series } = run.measures(60_000)
  expect(little.windowMs).toBe(30_000)
  expect(little.arrivalsPerS).toBeCloseTo(8, 0)
  const product = (little.arrivalsPerS * little.timeMs) / 1000
  expect(Math.abs(product - little.inSystem) / little.inSystem).toBeLessThan(0.1)
  const held = Array.from(
    { length: 30 },
    (_, at) => (series.depth[30 + at] as number) + (series.leased[30 + at] as number),
  )
  const mean = held.reduce((sum, count) => sum + count, 0) / held.length
  expect(Math.abs(mean - little.inSystem) / mean).toBeLessThan(0.3)
})

test("what the backlog holds is what the broker's engine holds, also after a loss of power", async () => {
  const backlog = new Backlog()
  const arrivals = new Arrivals()
  let surroundings: Surroundings | undefined
  const onlooker: Checker = {
    rule: 'none',
    see: (_, around) => {
      surroundings = around
    },
  }
  let compared = 0
  await runWorld(troubledScenario, 1, {
    checkers: [onlooker],
    watchesTransitions: true,
    onObservation: (observation) => {
      const seen: Seen = arrivals.seen(observation)
      if (seen.type === 'transition' && seen.machine === 'task') backlog.pass(seen)
      else if (seen.type === 'appending') backlog.appending(seen.batch)
      else if (seen.type === 'appended') backlog.appended(seen.batch)
      else if (seen.type === 'recovered') backlog.recovered(seen.lastBatch)
      const state = surroundings?.state
      // Between the turns of the broker.
      if (seen.type !== 'submitting' || state === undefined) return
      const queues = [...state.queues.values()]
      const sum = (of: (queue: (typeof queues)[number]) => number): number =>
        queues.reduce((all, queue) => all + of(queue), 0)
      expect(backlog.counts, `at ${seen.atMs} ms`).toEqual({
        delayed: sum(({ delayed }) => delayed),
        ready: sum(({ ready }) => ready.size),
        leased: sum(({ leased }) => leased.size),
      })
      compared += 1
    },
  })
  expect(compared).toBeGreaterThan(400)
})

test('a long run has coarser rows that add up to the same', () => {
  const fold = new MeasuresFold()
  const early: MeasuresFold[] = []
  for (let number = 0; number < 9000; number += 1) {
    if (number % 3000 === 0) early.push(fold.copy())
    const id = `task ${number}`
    fold.see({ type: 'submitting', node: 'producer-1', id, queue: 'mail', body: '', attempt: 1, atMs: number * 500 })
  }
  const { bucketMs, series, times, now } = fold.view(4_500_000)
  expect(bucketMs).toBe(4000)
  expect(times.length).toBe(1125)
  expect(series.submitted.every((perS) => perS === 2)).toBe(true)
  expect(now.totals.submitted).toBe(9000)
  // Copies of before still have their own rows.
  expect(early.map((copy) => copy.view(1_499_999).bucketMs)).toEqual([1000, 1000, 2000])
  expect(early[1]?.view(1_499_999).times.length).toBe(1499)
})

test('copies of rows share what they have in common and part where they differ', () => {
  const rows = new Rows(2)
  rows.add([1, 10])
  const copy = rows.copy()
  rows.add([2, Number.NaN])
  rows.add([3, 30])
  copy.add([2, Number.NaN])
  expect(copy.length).toBe(2)
  copy.add([3, 31])
  expect([rows.row(2), copy.row(2)]).toEqual([
    [3, 30],
    [3, 31],
  ])
  expect([rows.after(0, 0), rows.after(2, 0), rows.after(3, 0)]).toEqual([0, 2, 3])
})
