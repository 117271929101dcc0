import { beforeAll, describe, expect, test } from 'vitest'
import type { Figures, Lesson, Prediction } from '../../src/lessons/lesson.ts'
import { type Shown, show } from './trial.ts'

/** `pnpm --filter @sluice/simulator run claims` tries a hundred. */
const SEEDS = 3

/** What the texts say of the very run that is shown, where that is a number. Other numbers are settings of the scene. */
const SAID_OF_RUNS: Readonly<Record<string, (runs: readonly Figures[]) => boolean>> = {
  // “From arrival to result, a task stays for about 0.7 seconds.”
  'littles-law': ([run]) => Math.round((run?.stayMs ?? 0) / 100) === 7,
  // “At a half, that is one service time”, which is half a second.
  'utilisation-and-latency': ([half]) => Math.round((half?.waitMs ?? 0) / 100) === 5,
}

/** The place of an option, or a number that can be guessed. */
function expectAnswerable(prediction: Prediction, runs: readonly Figures[]): void {
  const outcome = prediction.outcome(runs)
  if (prediction.kind === 'choice') {
    expect(prediction.options[outcome], `option ${outcome} of ${prediction.question}`).toBeDefined()
    return
  }
  const { min, max, step, question } = prediction
  expect(outcome, question).toBeGreaterThanOrEqual(min)
  expect(outcome, question).toBeLessThanOrEqual(max)
  expect(Number.isInteger(Math.round(((max - min) / step) * 1e6) / 1e6), question).toBe(true)
}

/** Tests that each lesson says what its runs show. */
export function tryClaims(lessons: readonly Lesson[]): void {
  describe.each(lessons.map((lesson) => [lesson.name, lesson] as const))('%s', (_, lesson) => {
    let own: Shown
    let shown: Shown[]
    beforeAll(async () => {
      shown = []
      for (let seed = 1; seed <= SEEDS; seed += 1) shown.push(await show(lesson, seed))
      own = shown.find(({ seed }) => seed === lesson.seed) ?? (await show(lesson, lesson.seed))
    }, 300_000)

    test(lesson.claim.text, () => {
      const failed = [...shown, own].filter(({ runs, changed }) => !lesson.claim.holds(runs, changed))
      expect(failed).toEqual([])
    })

    test('what it measures is what it names, and a number', () => {
      for (const figures of [...own.runs, ...own.changed]) {
        expect(Object.keys(figures).sort()).toEqual(Object.keys(lesson.figures).sort())
        expect(Object.values(figures).filter((value) => !Number.isFinite(value))).toEqual([])
      }
    })

    test('what it asks has an answer in the run that it shows', () => {
      expectAnswerable(lesson.predict, own.runs)
      expectAnswerable(lesson.observe, own.runs)
      expectAnswerable(lesson.change.predict, own.changed)
      expectAnswerable(lesson.transfer, [])
    })

    const isTrueOf = SAID_OF_RUNS[lesson.name]
    test.runIf(isTrueOf)('a number of its run that its text names is true', () => {
      expect(isTrueOf?.(own.runs)).toBe(true)
    })

    test('an answer does not depend on the seed', () => {
      for (const one of [lesson.predict, lesson.observe])
        if (one.kind === 'choice')
          expect(shown.map(({ runs }) => one.outcome(runs))).toEqual(shown.map(() => one.outcome(own.runs)))
      const { predict } = lesson.change
      if (predict.kind === 'choice')
        expect(shown.map(({ changed }) => predict.outcome(changed))).toEqual(
          shown.map(() => predict.outcome(own.changed)),
        )
    })
  })
}
