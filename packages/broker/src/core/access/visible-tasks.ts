import type { State } from '@sluice/engine'
import type { Principal } from './access-control.ts'
import { authorizeTask } from './authorize.ts'
import type { QueueAction } from './scopes.ts'

/** The ids of a list whose tasks a principal may see, and how their places map to the list. */
export interface VisibleTasks {
  ids: readonly string[]
  /** The place in the whole list of the visible id at this place. */
  placeOf(place: number): number
  /**
   * Places in the whole list of tasks that exist but that this principal may not see. It is told that they are unknown.
   */
  hidden: readonly number[]
}

const NOTHING: readonly number[] = []

export function visibleTasks(
  { tasks }: State,
  principal: Principal | undefined,
  action: QueueAction,
  ids: readonly string[],
): VisibleTasks {
  const all: VisibleTasks = { ids, placeOf: (place) => place, hidden: NOTHING }
  if (principal === undefined) return all
  const hidden: number[] = []
  const places: number[] = []
  ids.forEach((id, place) => {
    const task = tasks.get(id)
    if (task !== undefined && !authorizeTask(principal, action, task)) hidden.push(place)
    else places.push(place)
  })
  if (hidden.length === 0) return all
  return { ids: places.map((place) => ids[place] as string), placeOf: (place) => places[place] as number, hidden }
}
