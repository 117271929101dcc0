import { defaultScenario, type Observation, type Scenario } from '@sluice/world'
import { expect, test } from 'vitest'
import { bucketOf, measured } from '../../src/compare/measured.ts'

const scenario: Scenario = {
  ...defaultScenario,
  producers: defaultScenario.producers.map((group) => ({ ...group, patienceMs: 1000 })),
}
const node = 'producer-1'

function submitting(atMs: number, id: string, wish = id, attempt = 1): Observation {
  return { type: 'submitting', atMs, node, id, queue: 'q', body: `${wish} rest`, attempt }
}
function succeeded(atMs: number, id: string): Observation {
  return { type: 'outcome', atMs, node, id, status: 'succeeded', result: '' }
}
function started(atMs: number, id: string, attempt = 1): Observation {
  return { type: 'handlerStarted', atMs, node: 'worker-1', id, queue: 'q', attempt, body: '', run: 1 }
}

test('a result counts as useful once for its wish, and only in time', () => {
  const { totals } = measured(
    [
      submitting(0, 'a'),
      submitting(10, 'b'),
      succeeded(500, 'a'),
      submitting(1010, 'b2', 'b', 2),
      succeeded(1500, 'b'),
      succeeded(1600, 'b2'),
      submitting(1700, 'c'),
      // Its user still waits at the end.
      submitting(5500, 'd'),
    ],
    scenario,
    6000,
  )
  expect(totals).toMatchObject({ requests: 4, submissions: 5, done: 3, useful: 2, retries: 1 })
  expect(totals.usefulShare).toBeCloseTo(2 / 3)
  expect(totals.p50Ms).toBe(590)
})

test('waiting is what no handler works on and nobody has heard of, at the end of each bucket', () => {
  const { series, bucketMs } = measured(
    [
      submitting(0, 'a'),
      submitting(10, 'b'),
      submitting(20, 'c'),
      started(150, 'a'),
      { type: 'nodeStopped', atMs: 250, node: 'worker-1', how: 'crashed' },
      started(350, 'a', 2),
      { type: 'refused', atMs: 360, node, id: 'c', error: { code: 'busy', message: '' } },
      succeeded(450, 'a'),
    ] as Observation[],
    scenario,
    600,
  )
  expect(bucketMs).toBe(100)
  expect(series.waiting).toEqual([3, 2, 3, 1, 1, 1])
  expect(series.retries).toEqual([0, 0, 0, 10, 0, 0])
  expect(series.givenUp[3]).toBe(10)
})

test('only tasks that were accepted can be lost', () => {
  const { series, totals } = measured(
    [
      submitting(0, 'a'),
      submitting(0, 'b'),
      { type: 'accepted', atMs: 5, node, id: 'a' },
      { type: 'outcomeUnknown', atMs: 150, node, id: 'a', code: 'unknown_task' },
      { type: 'outcomeUnknown', atMs: 160, node, id: 'b', code: 'unknown_task' },
    ],
    scenario,
    400,
  )
  expect(totals.lost).toBe(1)
  expect(series.lost).toEqual([0, 1, 1, 1])
  expect(series.p95Ms.every(Number.isNaN)).toBe(true)
})

test('a line has at most sixty points', () => {
  for (const untilMs of [900, 6000, 37_000, 61_000, 3_600_000, 90_000_000])
    expect(untilMs / bucketOf(untilMs)).toBeLessThanOrEqual(60)
})
