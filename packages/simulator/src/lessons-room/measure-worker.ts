/// <reference lib="webworker" />

import { lessons } from '../lessons/index.ts'
import type { Figures, LessonRun } from '../lessons/lesson.ts'
import { figuresOf } from './figures-of.ts'

export interface MeasureCall {
  number: number
  lesson: string
  /** The runs of the lesson, or those after the change. */
  which: 'runs' | 'change'
}

export type MeasureAnswer = { number: number; figures: readonly Figures[] } | { number: number; error: string }

self.onmessage = async ({ data: { number, lesson: name, which } }: MessageEvent<MeasureCall>) => {
  const lesson = lessons.find((one) => one.name === name)
  let answer: MeasureAnswer
  try {
    if (lesson === undefined) throw new RangeError(`there is no lesson ${name}`)
    const runs: readonly LessonRun[] = which === 'runs' ? lesson.runs : lesson.change.runs
    answer = { number, figures: await figuresOf(lesson, runs) }
  } catch (error) {
    answer = { number, error: error instanceof Error ? error.message : String(error) }
  }
  self.postMessage(answer)
}
