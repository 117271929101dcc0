import type { Observation } from '../observation.ts'
import { runWorld } from '../world.ts'
import { type Expectation, type Figures, isWithin, type Phenomenon, type Runs } from './phenomenon.ts'

/** A phenomenon, tried over some seeds. */
export interface Trial {
  phenomenon: Phenomenon
  seeds: readonly number[]
  /** In the order of the seeds. */
  runs: readonly Runs[]
}

/** The result of one expectation. */
export interface Finding {
  expectation: Expectation
  holds: boolean
  /** The figure of each seed, or the one made from the means. */
  figures: readonly number[]
}

/** Runs every variant over the seeds, one after the other. */
export async function tryOut(phenomenon: Phenomenon, seeds: readonly number[]): Promise<Trial> {
  const runs: Runs[] = []
  for (const seed of seeds) {
    const byVariant: Record<string, Figures> = {}
    for (const variant of Object.keys(phenomenon.scenarios)) byVariant[variant] = await run(phenomenon, variant, seed)
    runs.push(byVariant)
  }
  return { phenomenon, seeds, runs }
}

async function run(phenomenon: Phenomenon, variant: string, seed: number): Promise<Figures> {
  const scenario = phenomenon.scenarios[variant]
  if (!scenario) throw new RangeError(`${phenomenon.name} has no variant ${variant}`)
  const seen: Observation[] = []
  await runWorld(scenario, seed, {
    isHashed: false,
    only: new Set(phenomenon.looksAt),
    onObservation: (observation) => seen.push(observation),
  })
  return phenomenon.measure(seen, scenario)
}

/** The mean of each figure of each variant. */
export function meansOf({ runs }: Trial): Runs {
  const [first = {}] = runs
  return Object.fromEntries(
    Object.entries(first).map(([variant, figures]) => [
      variant,
      Object.fromEntries(
        Object.keys(figures).map((name) => [
          name,
          runs.reduce((sum, one) => sum + (one[variant]?.[name] ?? Number.NaN), 0) / runs.length,
        ]),
      ),
    ]),
  )
}

/** Whether what was expected happened. */
export function judge(trial: Trial): Finding[] {
  return trial.phenomenon.expectations.map((expectation) => {
    const { over, bound } = expectation
    const figures =
      over === 'mean' ? [expectation.figure(meansOf(trial))] : trial.runs.map((runs) => expectation.figure(runs))
    const holds = figures.every((figure) => isWithin(bound, figure))
    return { expectation, holds, figures }
  })
}
