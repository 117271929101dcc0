import { expect, test } from 'vitest'
import { type Distribution, draw } from '../src/distribution.ts'
import { RandomSource } from '../src/random.ts'

function numbers(source: RandomSource, name: string, count = 5): number[] {
  const stream = source.stream(name)
  return Array.from({ length: count }, () => stream.next())
}

test('the same seed and name give the same numbers, another seed or name others', () => {
  const expected = numbers(new RandomSource(1), 'network')
  expect(numbers(new RandomSource(1), 'network')).toEqual(expected)
  expect(numbers(new RandomSource(2), 'network')).not.toEqual(expected)
  expect(numbers(new RandomSource(1), 'disk')).not.toEqual(expected)
  expect(numbers(new RandomSource(1 + 2 ** 40), 'network')).not.toEqual(expected)
})

test('a draw from one stream changes nothing in another', () => {
  const quiet = numbers(new RandomSource(7), 'network')
  const source = new RandomSource(7)
  numbers(source, 'disk', 100)
  source.once('network')
  expect(numbers(source, 'network')).toEqual(quiet)
})

test('a stream goes on where it was when it is asked for again; one for once begins anew', () => {
  const source = new RandomSource(3)
  const first = source.stream('a').next()
  expect(source.stream('a').next()).not.toBe(first)
  expect(source.once('a').next()).toBe(first)
})

test('a reseeded source gives other numbers in every stream, also in one that somebody holds', () => {
  const after = (seed: number) => {
    const source = new RandomSource(7)
    const [held, once] = [source.stream('network'), source.once('wish')]
    const before = [held.next(), once.next()]
    source.reseed(seed)
    return { before, after: [held.next(), once.next(), source.stream('disk').next(), source.once('late').next()] }
  }
  const [first, again, other] = [after(8), after(8), after(9)]
  expect(again).toEqual(first)
  expect(other.before).toEqual(first.before)
  for (const [at, number] of other.after.entries()) expect(number).not.toBe(first.after[at])
})

test('the same seed again does not repeat numbers', () => {
  const source = new RandomSource(7)
  const first = numbers(source, 'ids')
  source.reseed(7)
  const second = numbers(source, 'ids')
  source.reseed(7)
  expect(new Set([...first, ...second, ...numbers(source, 'ids')]).size).toBe(15)
})

test('the numbers are known: they may never change, or every pinned seed would tell another story', () => {
  const stream = new RandomSource(42).stream('pinned')
  expect([stream.next32(), stream.next32(), stream.integer(1, 6), stream.chance(0.5)]).toMatchInlineSnapshot(`
    [
      1087634957,
      800945097,
      3,
      true,
    ]
  `)
})

test('integers are uniform and reach both ends', () => {
  const stream = new RandomSource(5).stream('dice')
  const counts = new Map<number, number>()
  for (let i = 0; i < 60_000; i += 1) {
    const eyes = stream.integer(1, 6)
    counts.set(eyes, (counts.get(eyes) ?? 0) + 1)
  }
  expect([...counts.keys()].toSorted()).toEqual([1, 2, 3, 4, 5, 6])
  for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(400)
})

test.each<[Distribution, number]>([
  [{ kind: 'constant', value: 3 }, 3],
  [{ kind: 'uniform', min: 2, max: 6 }, 4],
  [{ kind: 'exponential', mean: 5 }, 5],
  [{ kind: 'bimodal', fast: 1, slow: 101, share: 0.1 }, 11],
  // The mean of a Pareto distribution is shape × min / (shape − 1).
  [{ kind: 'pareto', min: 2, shape: 3, max: 1e9 }, 3],
])('%o has the mean that its form says', (distribution, mean) => {
  const stream = new RandomSource(11).stream('mean')
  let sum = 0
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < 100_000; i += 1) {
    const value = draw(distribution, stream)
    least = Math.min(least, value)
    sum += value
  }
  expect(least).toBeGreaterThanOrEqual(0)
  expect(Math.abs(sum / 100_000 - mean)).toBeLessThan(mean * 0.03)
})
