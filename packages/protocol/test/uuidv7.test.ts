import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isTaskId } from '../src/index.ts'
import { uuidv7Source } from '../src/uuidv7.ts'

function source(times: number[], seed = 1) {
  let draws = seed
  let call = 0
  return uuidv7Source({
    epochMs: () => times[Math.min(call++, times.length - 1)]!,
    randomBytes: (count) => {
      const bytes = new Uint8Array(count)
      for (let i = 0; i < count; i++) {
        draws = (Math.imul(draws, 1_664_525) + 1_013_904_223) >>> 0
        bytes[i] = draws >>> 24
      }
      return bytes
    },
  })
}

test('every id is a UUIDv7 and greater than the one before, whatever the clock does', () => {
  const times = fc.array(fc.integer({ min: 0, max: 2 ** 48 - 10_000 }), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(times, fc.nat(), (clock, seed) => {
      const next = source(clock, seed)
      let last = ''
      for (let i = 0; i < clock.length; i++) {
        const id = next()
        expect(isTaskId(id)).toBe(true)
        expect(id > last).toBe(true)
        last = id
      }
    }),
  )
})

test('one millisecond holds more ids than its counter: the timestamp then runs ahead', () => {
  const next = source([1_790_000_000_000])
  let last = ''
  const ids = new Set<string>()
  for (let i = 0; i < 10_000; i++) {
    const id = next()
    expect(id > last).toBe(true)
    ids.add(id)
    last = id
  }
  expect(ids.size).toBe(10_000)
  const aheadMs = Number.parseInt(last.replaceAll('-', '').slice(0, 12), 16) - 1_790_000_000_000
  expect(aheadMs).toBeLessThan(10)
})

test('the timestamp is the wall clock', () => {
  expect(Number.parseInt(source([0x0123_4567_89ab])().replaceAll('-', '').slice(0, 12), 16)).toBe(0x0123_4567_89ab)
})

test('the random part differs between ids', () => {
  const next = source([1_790_000_000_000])
  const tails = Array.from({ length: 1000 }, () => next().slice(19))
  expect(new Set(tails).size).toBe(1000)
})
