import { describe, expect, test } from 'vitest'
import type { Bench } from '../src/bench.ts'
import { benches } from '../src/benches/index.ts'

const figuresOf: Record<string, string[]> = {
  ceiling: ['relay, batch 1', 'relay, batch 10', 'relay, batch 100'],
  throughput: ['relay, batch 100', 'strict', 'memory', 'strict, of the relay', 'memory, of the relay'],
  latency: [
    'relay, median',
    'memory, median',
    'strict, median',
    'relay, 99th percentile',
    'memory, 99th percentile',
    'strict, 99th percentile',
    'fsync, busy',
    'fsync, rested',
    'memory, of the relay',
    'strict writes for a task',
    'strict adds, of a rested fsync',
    'strict adds, of a busy fsync',
  ],
  backlog: [
    '100 waiting',
    '10,000 waiting',
    '10,000 waiting, of 100 waiting',
    'heap and buffers for a waiting task',
    'resident memory for a waiting task',
  ],
  recovery: ['ready with 5,000 waiting'],
  idle: ['resident memory for a connection', 'of it, JavaScript heap and buffers'],
  access: [
    'without access control',
    'with access control',
    'access control costs',
    'broker without',
    'broker with',
    'access control costs the broker',
    'a session without',
    'a session with',
    'access control adds',
    'one principal alone',
    'beside one that floods',
    'a flood costs',
    'accepted of the flood',
    'refused of the flood',
  ],
}

/** What may be nothing or less on a small scale, where noise is larger than what is measured. */
const differences = new Set([
  'strict adds, of a rested fsync',
  'strict adds, of a busy fsync',
  'heap and buffers for a waiting task',
  'resident memory for a waiting task',
  'resident memory for a connection',
  'of it, JavaScript heap and buffers',
  'access control costs',
  'access control costs the broker',
  'a session without',
  'a session with',
  'access control adds',
  'a flood costs',
  'refused of the flood',
])

describe('each bench measures something on a small scale', () => {
  test.each(benches.map((bench): [string, Bench] => [bench.name, bench]))(
    '%s',
    { timeout: 120_000 },
    async (name, bench) => {
      const { configuration, figures } = await bench.run('quick')
      expect(figures.map((figure) => figure.name)).toEqual(figuresOf[name])
      for (const { name: figureName, median, min, max, target, met } of figures) {
        expect(Number.isFinite(median), figureName).toBe(true)
        expect(min).toBeLessThanOrEqual(median)
        expect(max).toBeGreaterThanOrEqual(median)
        // Tasks really flowed: no rate, no time and no size is nothing.
        if (!differences.has(figureName)) expect(median, figureName).toBeGreaterThan(0)
        expect(met === null).toBe(target === null)
      }
      expect(configuration.repetitions).toBe(1)
    },
  )
})
