import { type Observation, type ObservationType, openWorld, type Scenario } from '@sluice/world'
import type { Figures, Lesson, LessonRun } from '../../src/lessons/lesson.ts'

interface Watched {
  looksAt: readonly ObservationType[]
  measure: (seen: readonly Observation[], scenario: Scenario) => Figures
}

/** The figures of one run, from what it shows up to this instant. */
export async function figuresOf(
  { looksAt, measure }: Watched,
  { scenario, changes }: Pick<LessonRun, 'scenario' | 'changes'>,
  seed: number,
  untilMs = Number.POSITIVE_INFINITY,
): Promise<Figures> {
  const seen: Observation[] = []
  const world = openWorld(scenario, seed, {
    isHashed: false,
    only: new Set(looksAt),
    onObservation: (observation) => seen.push(observation),
    ...(changes === undefined ? {} : { changes }),
  })
  await world.advanceTo(untilMs)
  return measure(seen, scenario)
}

/** What a lesson shows with one seed. */
export interface Shown {
  seed: number
  runs: Figures[]
  changed: Figures[]
}

/** Runs everything that a lesson shows. */
export async function show(lesson: Lesson, seed: number): Promise<Shown> {
  const all = async (runs: readonly LessonRun[]): Promise<Figures[]> => {
    const figures: Figures[] = []
    for (const run of runs) figures.push(await figuresOf(lesson, run, seed, lesson.untilMs))
    return figures
  }
  return { seed, runs: await all(lesson.runs), changed: await all(lesson.change.runs) }
}
