import type { TimedFault } from '../fault.ts'
import type { Scenario } from '../scenario.ts'
import { simplifications } from './simplification.ts'

export interface Experiment {
  seed: number
  scenario: Scenario
}

/**
 * The smallest experiment found that still does what `violates` tests. It uses delta debugging over the faults
 * (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 2002) and greedy
 * simplification of the rest.
 * @param faults those that happened in the run: they become the script, chance is switched off
 * @param violates runs an experiment and returns whether it still fails in the same way
 * @param isOver asked before each run; once true, the best so far is returned
 */
export async function shrink(
  first: Experiment,
  faults: readonly TimedFault[],
  violates: (experiment: Experiment) => Promise<boolean>,
  isOver: () => boolean,
): Promise<Experiment> {
  const { seed } = first
  let best = first.scenario
  const holds = async (scenario: Scenario): Promise<boolean> => {
    if (isOver() || !(await violates({ seed, scenario }))) return false
    best = scenario
    return true
  }
  const { faultRates: _, ...certain } = best
  if (await holds({ ...certain, script: faults })) await minimiseScript(() => best, holds)
  let at = 0
  let inVain = 0
  while (!isOver()) {
    const candidates = simplifications(best)
    if (inVain >= candidates.length) break
    // After a success the same index has the next simplification, or the same one once more.
    if (await holds(candidates[at % candidates.length] as Scenario)) inVain = 0
    else {
      at += 1
      inVain += 1
    }
  }
  await minimiseScript(() => best, holds)
  return { seed, scenario: best }
}

async function minimiseScript(current: () => Scenario, holds: (scenario: Scenario) => Promise<boolean>): Promise<void> {
  let parts = 2
  for (;;) {
    const scenario = current()
    const script = scenario.script ?? []
    if (script.length === 0) return
    const size = Math.ceil(script.length / Math.min(parts, script.length))
    let isSmaller = false
    for (let from = 0; from < script.length && !isSmaller; from += size) {
      isSmaller = await holds({ ...scenario, script: [...script.slice(0, from), ...script.slice(from + size)] })
    }
    if (isSmaller) parts = Math.max(parts - 1, 2)
    else if (size === 1) return
    else parts = Math.min(parts * 2, script.length)
  }
}
