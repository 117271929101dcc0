import { beforeAll, describe, expect, test } from 'vitest'
import type { Bound, Phenomenon } from '../../src/phenomena/phenomenon.ts'
import { type Finding, judge, tryOut } from '../../src/phenomena/trial.ts'

const seeds = Array.from({ length: 100 }, (_, index) => index + 1)

function wordsOf({ atLeast, atMost }: Bound): string {
  if (atLeast !== undefined && atMost !== undefined) return `from ${atLeast} to ${atMost}`
  return atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`
}

/** Tests every relation that a phenomenon claims, over a hundred seeds. */
export function demonstrate(phenomenon: Phenomenon): void {
  describe(phenomenon.name, () => {
    let findings: Finding[]
    beforeAll(async () => {
      findings = judge(await tryOut(phenomenon, seeds))
    }, 300_000)

    for (const [at, { what, over, bound }] of phenomenon.expectations.entries())
      test(`${what}: ${wordsOf(bound)}, ${over === 'mean' ? 'on average' : 'for each seed'}`, () => {
        const finding = findings[at]
        expect(finding?.figures.length).toBe(over === 'mean' ? 1 : seeds.length)
        expect(finding?.holds, `figures: ${finding?.figures.join(', ')}`).toBe(true)
      })
  })
}
