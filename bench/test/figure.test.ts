import { describe, expect, test } from 'vitest'
import { atLeast, atMost, figure, median, quantile } from '../src/figure.ts'
import { formatFigures } from '../src/table.ts'

describe('a figure', () => {
  test('is the median and the range of its samples', () => {
    expect(figure('rate', 'tasks/s', [3, 1, 2])).toEqual({
      name: 'rate',
      unit: 'tasks/s',
      median: 2,
      min: 1,
      max: 3,
      target: null,
      met: null,
    })
  })

  test('is met where its median keeps the target, the bound included', () => {
    expect(figure('rate', '%', [10, 20, 90], atLeast(20)).met).toBe(true)
    expect(figure('rate', '%', [10, 19, 90], atLeast(20)).met).toBe(false)
    expect(figure('time', 's', [1, 10, 90], atMost(10)).met).toBe(true)
    expect(figure('time', 's', [1, 11, 90], atMost(10)).met).toBe(false)
  })

  test('needs a sample', () => {
    expect(() => figure('rate', 'tasks/s', [])).toThrow('no samples of rate')
  })
})

test('the median of an even number of samples lies between the middle two', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5)
})

test('a quantile is a sample', () => {
  const samples = Array.from({ length: 100 }, (_, index) => index)
  expect(quantile(samples, 0.99)).toBe(99)
  expect(quantile([5], 0.99)).toBe(5)
})

test('the table says which target is missed', () => {
  const lines = formatFigures([
    figure('strict, of the relay', '%', [12.3456], atLeast(20)),
    figure('recovery', 's', [2], atMost(10)),
    figure('memory', 'tasks/s', [123_456.7]),
  ]).split('\n')
  expect(lines[1]).toMatch(/strict, of the relay +12\.35 % +12\.35 – 12\.35 +≥ 20 +MISSED/)
  expect(lines[2]).toMatch(/≤ 10 +met$/)
  expect(lines[3]).toMatch(/123,457 tasks\/s +123,457 – 123,457$/)
})
