import { expect, test } from 'vitest'
import { ln, power } from '../src/portable.ts'
import { RandomSource } from '../src/random.ts'

test('logarithms and powers are as exact as those of the engine', () => {
  const random = new RandomSource(1).stream('portable')
  for (let i = 0; i < 20_000; i += 1) {
    const x = 1 - random.next()
    expect(Math.abs(ln(x) - Math.log(x))).toBeLessThanOrEqual(4e-16 * Math.max(1, Math.abs(Math.log(x))))
    const shape = 0.5 + 3 * random.next()
    expect(power(x, 1 / shape) / x ** (1 / shape)).toBeCloseTo(1, 13)
  }
  expect(ln(1)).toBe(0)
  expect(power(1, 3)).toBe(1)
})

test('the last bit is the same in every engine', () => {
  const random = new RandomSource(2).stream('portable')
  const bits = new Float64Array(
    Array.from({ length: 1000 }, () => power(1 - random.next(), 0.4) + ln(1 - random.next())),
  )
  const sum = new Uint32Array(bits.buffer).reduce(
    (hash, word) => (Math.imul(hash, 16_777_619) ^ word) >>> 0,
    2_166_136_261,
  )
  expect(sum).toBe(1_180_649_577)
})
