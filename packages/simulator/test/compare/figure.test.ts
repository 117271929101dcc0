import { expect, test } from 'vitest'
import { areasBetween, instantTicks, pathOf, smooth, ticksOf, valueText } from '../../src/compare/scale.ts'
import { differenceText } from '../../src/compare/words.ts'

test.each([
  [1, [0, 0.25, 0.5, 0.75, 1]],
  [7.3, [0, 2, 4, 6, 8]],
  [120, [0, 50, 100, 150]],
  [0, [0, 0.25, 0.5, 0.75, 1]],
  [Number.NaN, [0, 0.25, 0.5, 0.75, 1]],
])('an axis up to %d has round numbers that reach it', (max, ticks) => {
  expect(ticksOf(max)).toEqual(ticks)
})

test('an axis of time has round instants within its span', () => {
  expect(instantTicks(2500, 12_000, 6)).toEqual([4000, 6000, 8000, 10_000, 12_000])
})

test('a line is broken where there is no value', () => {
  expect(
    pathOf([
      [0, 1],
      [1, 2],
      [2, Number.NaN],
      [3, 4],
    ]),
  ).toBe('M0.0 1.0L1.0 2.0M3.0 4.0')
})

test('the area between two lines is cut where they cross', () => {
  const areas = areasBetween(
    [
      [0, 0],
      [10, 10],
    ],
    [
      [0, 10],
      [10, 0],
    ],
  )
  expect(areas.map(({ isFirstHigher }) => isFirstHigher)).toEqual([false, true])
  expect(areas[0]?.points[1]).toEqual([5, 5])
  expect(
    areasBetween(
      [
        [0, 1],
        [1, 1],
      ],
      [
        [0, 1],
        [1, 1],
      ],
    ),
  ).toEqual([])
  expect(
    areasBetween(
      [
        [0, 1],
        [1, Number.NaN],
      ],
      [
        [0, 2],
        [1, 2],
      ],
    ),
  ).toEqual([])
})

test('a smooth line is made of means of what came before', () => {
  expect(smooth([3, 0, 0, 6, 6], 3)).toEqual([3, 1.5, 1, 2, 4])
})

test('numbers are short', () => {
  expect([0.123, 1.26, 12.34, 123.4, 12_345, Number.NaN].map(valueText)).toEqual([
    '0.12',
    '1.3',
    '12.3',
    '123',
    '12,345',
    '–',
  ])
})

test.each([
  ['submissions', 100, 69, '31 % fewer submissions'],
  ['submissions', 100, 130, '30 % more submissions'],
  ['useful', 20, 60, '3 × as many useful answers'],
  ['useful', 0, 60, '60 useful answers instead of none'],
  ['lost', 4, 0, 'no accepted tasks lost instead of 4'],
  ['lost', 4, 4, 'as many accepted tasks lost'],
  ['p95Ms', 1000, 250, 'a p95 latency that is 75 % shorter'],
  ['p95Ms', 1000, 4000, '4 × the p95 latency'],
] as const)('the difference of %s from %d to %d is said in words', (name, first, second, words) => {
  // A number and its sign stay on one line.
  expect(differenceText(name, first, second).replaceAll('\u00A0', ' ')).toBe(words)
})
