import { type Observation, type ObservationType, openWorld } from '@sluice/world'
import type { Plan } from './run.ts'

/** Runs a world up to this instant without showing it, and returns what was observed of these types. */
export async function observed(
  { scenario, seed, changes }: Plan,
  looksAt: readonly ObservationType[],
  untilMs: number,
): Promise<Observation[]> {
  const seen: Observation[] = []
  const world = openWorld(scenario, seed, {
    changes,
    isHashed: false,
    only: new Set(looksAt),
    onObservation: (observation) => seen.push(observation),
  })
  await world.advanceTo(untilMs)
  return seen
}
