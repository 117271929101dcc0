import { signal } from '@preact/signals'

/** A guess and what came of it. For a choice: the places of the options. */
export interface Guess {
  guess: number
  outcome: number
  /** From 0, which is right, to 1. */
  error: number
}

export interface LessonProgress {
  before?: Guess
  after?: Guess
  /** When the lesson was finished, as ISO 8601. */
  doneAt?: string
}

type Progress = Readonly<Record<string, LessonProgress>>

const KEY = 'sluice-simulator-lessons'

function read(): Progress {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}')
    return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Progress) : {}
  } catch {
    // A private window, or something else's data: the lessons work without.
    return {}
  }
}

/** What this person has guessed and finished, on this device alone. */
export const progress = signal<Progress>(read())

export function noteProgress(lesson: string, note: LessonProgress): void {
  progress.value = { ...progress.value, [lesson]: { ...progress.value[lesson], ...note } }
  try {
    localStorage.setItem(KEY, JSON.stringify(progress.value))
  } catch {
    // There is no room, or no storage: it is kept as long as the page.
  }
}

/** Everything that was noted, to keep or to share. */
export function exportProgress(): string {
  return JSON.stringify({ format: 'sluice-lessons', version: 1, lessons: progress.value }, null, 2)
}
