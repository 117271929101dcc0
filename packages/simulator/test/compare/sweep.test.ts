import { expect, test } from 'vitest'
import { coarseFirst } from '../../src/compare/coarse-first.ts'
import { doJob } from '../../src/compare/jobs.ts'
import type { TotalName } from '../../src/compare/measured.ts'
import {
  csvOf,
  type Setting,
  SWEEP_UNTIL_MS,
  type SweepAnswer,
  scenes,
  settings,
  spreadOf,
  valuesOf,
} from '../../src/compare/sweep.ts'

function setting(name: string): Setting {
  return settings.find((one) => one.name === name) as Setting
}

function answer(value: number, seed: number, useful: number): SweepAnswer {
  return { value, seed, totals: { useful, p95Ms: Number.NaN } as SweepAnswer['totals'] }
}

test('the spread of a value is its median and the band in which eight of ten lie', () => {
  const answers = Array.from({ length: 11 }, (_, at) => answer(4, at, at * 10)).concat(answer(8, 1, 3))
  expect(spreadOf([4, 6, 8], answers, 'useful')).toEqual([
    { value: 4, count: 11, median: 50, p10: 10, p90: 90 },
    { value: 6, count: 0, median: Number.NaN, p10: Number.NaN, p90: Number.NaN },
    { value: 8, count: 1, median: 3, p10: 3, p90: 3 },
  ])
  expect(spreadOf([4], answers, 'p95Ms')[0]?.count).toBe(0)
})

test('values go from the first to the last by steps or factors, and none comes twice', () => {
  expect(valuesOf(setting('rate'), 4, 16, 5)).toEqual([4, 7, 10, 13, 16])
  expect(valuesOf(setting('bound'), 1, 256, 9)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256])
  expect(valuesOf(setting('workers'), 1, 3, 13)).toEqual([1, 2, 3])
  expect(() => valuesOf(setting('workers'), 3, 1, 5)).toThrow('number of workers')
  expect(() => valuesOf(setting('workers'), 0, 4, 5)).toThrow('from 1 to 40')
  expect(() => valuesOf(setting('rate'), Number.NaN, 4, 5)).toThrow('arrival rate')
})

test('the first values of a sweep go over the whole span, and all come', () => {
  const order = coarseFirst([1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(order.slice(0, 3)).toEqual([1, 5, 9])
  expect(order.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('a CSV has one line for each run, in order, and empty cells where there is nothing', () => {
  expect(csvOf(setting('rate'), [answer(8, 2, 5), answer(4, 1, 7), answer(8, 1, 6)])).toBe(
    'rate,seed,useful,p95Ms\r\n4,1,7,\r\n8,1,6,\r\n8,2,5,\r\n',
  )
})

/** A figure of the first scene at the ends of what a setting is asked for at first. */
const EFFECTS: readonly (readonly [string, TotalName, 'more' | 'less'])[] = [
  ['rate', 'p95Ms', 'more'],
  ['workers', 'p95Ms', 'less'],
  ['concurrency', 'waitingMax', 'less'],
  ['service', 'p95Ms', 'more'],
  ['delay', 'p50Ms', 'more'],
  ['bound', 'givenUp', 'less'],
  ['lease', 'p99Ms', 'more'],
  ['prefetch', 'p99Ms', 'more'],
]

test('every setting is swept, and has the effect that one expects', async () => {
  expect(EFFECTS.map(([name]) => name).toSorted()).toEqual(settings.map(({ name }) => name).toSorted())
  for (const [name, total, kind] of EFFECTS) {
    const own = setting(name)
    // What a worker holds while it sleeps shows what leases and prefetching do.
    const { scenario } = scenes[name === 'lease' || name === 'prefetch' ? 1 : 0] as (typeof scenes)[number]
    const at = async (value: number): Promise<number> => {
      const plan = { scenario: own.write(scenario, value), seed: 2, changes: [] }
      return (await doJob('measure', { plan, untilMs: SWEEP_UNTIL_MS })).totals[total]
    }
    const [low, high] = [await at(own.from), await at(own.to)]
    if (kind === 'more') expect(high, name).toBeGreaterThan(low * 1.1)
    else expect(high, name).toBeLessThan(low * 0.9)
  }
})
