import { type Observation, openWorld } from '@sluice/world'
import type { Figures, Lesson, LessonRun } from '../lessons/lesson.ts'

/** What the runs of a lesson show up to its end, for its seed or another one. */
export async function figuresOf(
  { seed, untilMs, looksAt, measure }: Pick<Lesson, 'seed' | 'untilMs' | 'looksAt' | 'measure'>,
  runs: readonly LessonRun[],
): Promise<Figures[]> {
  const figures: Figures[] = []
  for (const { scenario, changes = [] } of runs) {
    const seen: Observation[] = []
    const world = openWorld(scenario, seed, {
      changes,
      isHashed: false,
      only: new Set(looksAt),
      onObservation: (observation) => seen.push(observation),
    })
    await world.advanceTo(untilMs)
    figures.push(measure(seen, scenario))
  }
  return figures
}
