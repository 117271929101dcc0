import { type EventType, LIFECYCLE } from '@sluice/engine'
import { createMachine } from 'xstate'

type Table = Readonly<Record<string, Readonly<Partial<Record<EventType, readonly string[]>>>>>

/**
 * An event of the task chart. If the engine's table lets one event lead to several states, `to` is the one that the
 * engine has chosen.
 */
export interface TaskChartEvent {
  type: EventType
  to: string
}

/** The life of a task as a chart. It is generated from the engine's table, so it cannot be out of date. */
export const taskMachine = createMachine({
  types: {} as { events: TaskChartEvent },
  id: 'task',
  initial: 'absent',
  states: Object.fromEntries(
    Object.entries(LIFECYCLE as Table).map(([state, table]) => [
      state,
      {
        ...(Object.keys(table).length === 0 ? { type: 'final' as const } : {}),
        on: Object.fromEntries(
          Object.entries(table).map(([event, targets]) => [
            event,
            targets.map((target) => ({
              target,
              guard: ({ event }: { event: TaskChartEvent }) => event.to === target,
            })),
          ]),
        ),
      },
    ]),
  ),
})
