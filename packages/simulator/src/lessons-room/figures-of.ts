import { observed } from '../engine/observed.ts'
import type { Figures, Lesson, LessonRun } from '../lessons/lesson.ts'

/** What the runs of a lesson show up to its end, for its seed or another one. */
export async function figuresOf(
  { seed, untilMs, looksAt, measure }: Pick<Lesson, 'seed' | 'untilMs' | 'looksAt' | 'measure'>,
  runs: readonly LessonRun[],
): Promise<Figures[]> {
  const figures: Figures[] = []
  for (const { scenario, changes = [] } of runs)
    figures.push(measure(await observed({ scenario, seed, changes }, looksAt, untilMs), scenario))
  return figures
}
