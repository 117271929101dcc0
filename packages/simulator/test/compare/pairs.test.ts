import { expect, test } from 'vitest'
import { doJob } from '../../src/compare/jobs.ts'
import type { TotalName } from '../../src/compare/measured.ts'
import { pairs } from '../../src/compare/pairs.ts'
import { summaryOf } from '../../src/compare/words.ts'

/** What the text of each pair says, as a bound on a figure of the second run divided by that of the first. */
const CLAIMS: Readonly<Record<string, readonly [TotalName, 'atLeast' | 'atMost', number]>> = {
  retries: ['useful', 'atLeast', 1.5],
  'queue-bound': ['useful', 'atLeast', 1.5],
  prefetch: ['lastDoneMs', 'atMost', 0.75],
  credit: ['p95Ms', 'atMost', 0.5],
  power: ['lost', 'atMost', 0],
  jitter: ['peakConnections', 'atMost', 0.6],
}

test.each(pairs)('$title: the difference is there for each seed', async ({ name, runs, untilMs, says, shows }) => {
  const [total, kind, bound] = CLAIMS[name] as (typeof CLAIMS)[string]
  for (const seed of [3, 4]) {
    const [first, second] = await Promise.all(
      runs.map(({ plan }) => doJob('measure', { plan: { ...plan, seed }, untilMs })),
    )
    if (first === undefined || second === undefined) throw new Error('two runs were expected')
    expect(first.totals[total], `${total} of seed ${seed}`).toBeGreaterThan(0)
    const ratio = second.totals[total] / first.totals[total]
    if (kind === 'atLeast') expect(ratio).toBeGreaterThanOrEqual(bound)
    else expect(ratio).toBeLessThanOrEqual(bound)
    expect(summaryOf(runs[1].label, says, first, second)).not.toContain('to compare')
    for (const series of shows) {
      const values = [...first.series[series], ...second.series[series]]
      expect(
        values.some((value) => value > 0),
        series,
      ).toBe(true)
    }
  }
})
