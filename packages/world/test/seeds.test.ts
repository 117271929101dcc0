import { availableParallelism } from 'node:os'
import { afterAll, expect, test } from 'vitest'
import { campaign, findingText } from '../src/fuzz/campaign.ts'
import { Pool } from '../src/fuzz/pool.ts'

/** The same worlds in each run; `pnpm fuzz` looks at others. */
const FRESH = 50
const FIRST = 1000
const STORY_MS = 20_000

const pool = new Pool(Math.min(2, availableParallelism()))
afterAll(() => pool.close())

test(`${FRESH} seeds keep every promise`, { timeout: 600_000 }, async () => {
  const { findings, tally } = await campaign(pool, FIRST, FRESH)
  for (const finding of findings.slice(0, 2)) {
    const explanation = await pool.explain(finding.seed, undefined, finding.violation.rule, STORY_MS)
    if (explanation !== undefined) finding.explanation = explanation
  }
  expect(findings.map(findingText).join('\n\n'), `seeds from ${FIRST} on`).toBe('')
  expect(tally.runs).toBe(FRESH)
  // Worlds in which nothing happens keep every promise, too.
  expect(tally.tasks.succeeded).toBeGreaterThan(FRESH)
  expect([...tally.faults.values()].every(({ times }) => times > 0)).toBe(true)
})
