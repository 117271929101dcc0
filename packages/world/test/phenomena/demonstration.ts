import { beforeAll, describe, expect, test } from 'vitest'
import type { Bound, Phenomenon } from '../../src/phenomena/phenomenon.ts'
import { type Finding, judge, tryOut } from '../../src/phenomena/trial.ts'

/** Some of the hundred that `pnpm fuzz --phenomena` runs. */
const seeds = Array.from({ length: 8 }, (_, index) => index + 1)

function wordsOf({ atLeast, atMost }: Bound): string {
  if (atLeast !== undefined && atMost !== undefined) return `from ${atLeast} to ${atMost}`
  return atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`
}

/** Tests the relations that a phenomenon claims, but for those that so few seeds cannot tell from chance. */
export function demonstrate(phenomenon: Phenomenon): void {
  describe(phenomenon.name, () => {
    let findings: Finding[]
    beforeAll(async () => {
      findings = judge(await tryOut(phenomenon, seeds))
    }, 300_000)

    for (const [at, { what, over, bound, seedsMin = 1 }] of phenomenon.expectations.entries())
      test.skipIf(seedsMin > seeds.length)(
        `${what}: ${wordsOf(bound)}, ${over === 'mean' ? 'on average' : 'for each seed'}`,
        () => {
          const finding = findings[at]
          expect(finding?.figures.length).toBe(over === 'mean' ? 1 : seeds.length)
          expect(finding?.holds, `figures: ${finding?.figures.join(', ')}`).toBe(true)
        },
      )
  })
}
