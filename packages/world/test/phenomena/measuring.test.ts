import { expect, test } from 'vitest'
import type { Observation } from '../../src/observation.ts'
import { mean, quantile } from '../../src/phenomena/quantile.ts'
import { latenciesOf, submissionsOf, usefulOf } from '../../src/phenomena/submission.ts'

const node = 'producer-1'

function submitting(atMs: number, id: string, wish: string, attempt = 1): Observation {
  return { atMs, type: 'submitting', node, id, queue: 'orders', body: `${wish} xyz`, attempt }
}
function succeeded(atMs: number, id: string): Observation {
  return { atMs, type: 'outcome', node, id, status: 'succeeded', result: '' }
}

test('a quantile is the smallest value that this share of all does not exceed', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  expect([0, 0.01, 0.5, 0.99, 1].map((q) => quantile(values, q))).toEqual([1, 1, 50, 99, 100])
  expect(quantile([], 0.5)).toBeNaN()
  expect(mean([1, 2, 6])).toBe(3)
})

test('a task that is submitted again under its id stays one submission, a new try at a wish is a new one', () => {
  const submissions = submissionsOf([
    submitting(10, 'a', 'producer-1:1'),
    submitting(20, 'a', 'producer-1:1'),
    submitting(30, 'b', 'producer-1:1', 2),
    succeeded(110, 'a'),
    succeeded(150, 'a'),
    succeeded(130, 'b'),
  ])
  expect(submissions.map(({ id, wish, attempt }) => [id, wish, attempt])).toEqual([
    ['a', 'producer-1:1', 1],
    ['b', 'producer-1:1', 2],
  ])
  expect(latenciesOf(submissions)).toEqual([100, 100])
})

test('a result is useful when it comes in time', () => {
  const submissions = submissionsOf([
    submitting(0, 'a', 'w:1'),
    submitting(10, 'b', 'w:2'),
    submitting(20, 'c', 'w:3'),
    succeeded(60, 'b'),
    succeeded(71, 'c'),
  ])
  expect(usefulOf(submissions, 50).map(({ id }) => id)).toEqual(['b'])
})
