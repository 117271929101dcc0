import { styleText } from 'node:util'
import type { DeadReason, TaskFailure, TaskStatus } from '@sluice/protocol'
import { durationText } from './duration.ts'
import type { Column } from './table.ts'
import { jsonLine } from './terminal.ts'

/** One ended attempt, as the HTTP API shows it. */
export interface AttemptView {
  attempt: number
  how: string
  error?: TaskFailure
}

/** A task, as the HTTP API shows it. */
export interface TaskView extends TaskStatus {
  history?: AttemptView[]
  result?: unknown
  resultBase64?: string
  contentType?: string
  reason?: DeadReason
}

export const TASK_STATES = ['ready', 'delayed', 'leased', 'succeeded', 'dead', 'cancelled'] as const

/** States of a task that has succeeded or still may. */
export const GOOD_STATES: ReadonlySet<string> = new Set(['delayed', 'ready', 'leased', 'succeeded'])

export function paintState(text: string, state: string): string {
  if (state === 'succeeded') return styleText('green', text)
  if (state === 'leased') return styleText('cyan', text)
  return GOOD_STATES.has(state) ? text : styleText('red', text)
}

export const TASK_COLUMNS: readonly Column<TaskView>[] = [
  { title: 'ID', of: ({ id }) => id },
  { title: 'STATE', of: ({ state }) => state, paint: (text, { state }) => paintState(text, state) },
  { title: 'QUEUE', of: ({ queue }) => queue ?? '–', cut: 'middle', drop: 1 },
  { title: 'TRIES', of: ({ attempts }) => attempts, drop: 3 },
  { title: 'AGE', of: ({ ageMs }) => (ageMs === undefined ? '–' : durationText(ageMs)), drop: 4 },
  { title: 'NOTE', of: noteOf, cut: 'end', drop: 2 },
]

/** The most useful fact about a task, in one cell. */
export function noteOf({ state, progress, reason, error, readyInMs }: TaskView): string {
  if (reason !== undefined) return error === undefined ? reason : `${reason}: ${error.message}`
  if (readyInMs !== undefined) return `ready in ${durationText(readyInMs)}`
  return progress === undefined || state === 'succeeded' ? '' : jsonLine(progress)
}
