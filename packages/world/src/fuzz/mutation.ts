import type { Mutant } from '../mutants/mutant.ts'
import { mutatedModule } from '../mutants/mutate.ts'
import { pinned } from './pinned.ts'
import { Pool } from './pool.ts'

export interface Verdict {
  mutant: Mutant
  /** Why nothing could be run with it. Then it is neither caught nor survived. */
  broken?: string
  /** Undefined: survived. */
  caught?: {
    rule: string
    message: string
    seed: number
    /** How many seeds were tried, including this one; 0 if a pinned world showed it. */
    seeds: number
    pinned?: string
  }
  /** Seeds that were not counted, because they violate a rule without the bug as well. */
  notCounted: number
}

/** A world with a bug in it may run for ever. This finds that early. */
const MUTANT_MS_MAX = 20_000

/** Most bugs show at once. The pinned worlds take longer and are for the others. */
const SEEDS_FIRST = 10

/**
 * Runs a few seeds, the pinned worlds, then the other seeds, with one bug planted, until they violate a rule that
 * holds without it. If the product cannot even be loaded with the bug, that says nothing about the checkers and is no
 * catch.
 * @param sound a pool without the bug
 */
export async function hunt(mutant: Mutant, sound: Pool, first: number, count: number): Promise<Verdict> {
  let notCounted = 0
  let pool: Pool
  try {
    pool = new Pool(1, { planted: mutatedModule(mutant) }, MUTANT_MS_MAX)
  } catch (error) {
    return { mutant, broken: (error as Error).message, notCounted }
  }

  async function inPinnedWorlds(): Promise<Verdict['caught']> {
    for (const { name, seed, scenario } of pinned) {
      const [violation] = (await pool.examine(seed, { scenario, untilViolated: true })).report.violations
      if (violation === undefined) continue
      const { rule, message } = violation
      return { rule, message, seed, seeds: 0, pinned: name }
    }
    return undefined
  }

  async function inSeeds(from: number, until: number): Promise<Verdict['caught']> {
    for (let at = from; at < until; at += 1) {
      const seed = first + at
      const { violations } = (await pool.examine(seed, { untilViolated: true })).report
      if (violations.length === 0) continue
      const otherwise = new Set((await sound.examine(seed)).report.violations.map(({ rule }) => rule))
      const violation = violations.find(({ rule }) => !otherwise.has(rule))
      if (violation !== undefined) {
        const { rule, message } = violation
        return { rule, message, seed, seeds: at + 1 }
      }
      notCounted += 1
    }
    return undefined
  }

  try {
    const few = Math.min(SEEDS_FIRST, count)
    const caught = (await inSeeds(0, few)) ?? (await inPinnedWorlds()) ?? (await inSeeds(few, count))
    return { mutant, ...(caught === undefined ? {} : { caught }), notCounted }
  } catch (error) {
    return { mutant, broken: (error as Error).message, notCounted }
  } finally {
    await pool.close()
  }
}
