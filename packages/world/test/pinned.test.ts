import { afterAll, describe, expect, test } from 'vitest'
import { pinned } from '../src/fuzz/pinned.ts'
import { Pool } from '../src/fuzz/pool.ts'
import { MUTANTS } from '../src/mutants/catalogue.ts'
import type { Mutant } from '../src/mutants/mutant.ts'
import { mutatedModule } from '../src/mutants/mutate.ts'

/** Ends an experiment that hangs, before its test is ended. */
const HANGS_MS = 100_000

const pool = new Pool(1, {}, HANGS_MS)
afterAll(() => pool.close())

describe.each(pinned.map((one) => [one.name, one] as const))('%s', (_, { seed, scenario, mutant, rule }) => {
  test('keeps every promise', { timeout: 120_000 }, async () => {
    const { report } = await pool.examine(seed, { scenario })
    expect(report.violations).toEqual([])
    expect(report.observations).toBeGreaterThan(0)
  })

  test.skipIf(mutant === undefined)('would show the bug again', { timeout: 120_000 }, async () => {
    expect(MUTANTS.map(({ name }) => name)).toContain(mutant)
    const again = new Pool(
      1,
      { planted: mutatedModule(MUTANTS.find(({ name }) => name === mutant) as Mutant) },
      HANGS_MS,
    )
    const { report } = await again.examine(seed, { scenario })
    await again.close()
    expect(report.violations.map((violation) => violation.rule)).toContain(rule)
  })
})

test('there are pinned seeds', () => {
  expect(pinned.length).toBeGreaterThan(0)
})
