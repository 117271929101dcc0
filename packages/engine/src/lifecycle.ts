import type { TaskStateName } from '@sluice/protocol'
import type { EventType } from './events.ts'

/** `absent`: never accepted. `gone`: the record has expired and the id may be used again. */
export type LifecycleState = TaskStateName | 'absent' | 'gone'

/**
 * The life of a task: for each state, the events that may happen and the states that they lead to. `evolve` checks
 * every change against it, the task chart is generated from it, and SPEC.md shows it. Further states before `ready`
 * can be added for tasks that wait on other tasks, keys, limits or schedules.
 */
export const LIFECYCLE = {
  absent: { tasksAccepted: ['ready', 'delayed'] },
  delayed: { taskReadied: ['ready'], taskDied: ['dead'], taskCancelled: ['cancelled'] },
  ready: { leasesGranted: ['leased'], taskDied: ['dead'], taskCancelled: ['cancelled'] },
  leased: {
    tasksSucceeded: ['succeeded'],
    attemptFailed: ['ready', 'delayed'],
    leaseReleased: ['ready'],
    taskDied: ['dead'],
    taskCancelled: ['cancelled'],
  },
  succeeded: { taskForgotten: ['gone'], oldestForgotten: ['gone'] },
  dead: { taskRedriven: ['ready'], taskForgotten: ['gone'], oldestForgotten: ['gone'] },
  cancelled: { taskForgotten: ['gone'], oldestForgotten: ['gone'] },
  gone: {},
} as const satisfies Record<LifecycleState, Partial<Record<EventType, readonly LifecycleState[]>>>

type Table = Record<LifecycleState, Partial<Record<EventType, readonly LifecycleState[]>>>

/**
 * Throws unless the table lets `event` lead from one state to the other. That would be a broken invariant, never bad
 * input.
 */
export function assertTransition(from: LifecycleState, event: EventType, to: LifecycleState): void {
  if (from === checked.from && event === checked.event && to === checked.to) return
  if (!(LIFECYCLE as Table)[from][event]?.includes(to)) {
    throw new Error(`invariant broken: ${event} may not take a task from ${from} to ${to}`)
  }
  checked = { from, event, to }
}

/** The latest change that passed the check, so that one event about many tasks is looked up once. */
let checked: { from?: LifecycleState; event?: EventType; to?: LifecycleState } = {}
