import type { TaskStateName } from '@sluice/protocol'
import type { EventType } from './events.ts'

/** `absent`: never accepted. `gone`: its record has expired; the id may be used anew. */
export type LifecycleState = TaskStateName | 'absent' | 'gone'

/**
 * The life of a task: for each state, the events that may happen and the states they lead to. `evolve` consults it for
 * every change, the task chart is generated from it, and SPEC.md draws it. Room is left for tasks that wait on other
 * tasks, keys, limits and schedules: each is a further state before `ready`.
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

/** Throws unless the table lets `event` lead from one state to the other: a broken invariant, never bad input. */
export function assertTransition(from: LifecycleState, event: EventType, to: LifecycleState): void {
  if (from === checked.from && event === checked.event && to === checked.to) return
  if (!(LIFECYCLE as Table)[from][event]?.includes(to)) {
    throw new Error(`invariant broken: ${event} may not take a task from ${from} to ${to}`)
  }
  checked = { from, event, to }
}

/** The latest change that was found right: what happens to many tasks at once is looked up once. */
let checked: { from?: LifecycleState; event?: EventType; to?: LifecycleState } = {}
