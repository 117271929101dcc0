import type { Session } from './entities.ts'
import type { State } from './state.ts'

/** What `evolve` counts for each principal. Nothing else may call this. */

/** This many unfinished tasks of a principal more, or fewer. Nothing is counted where tasks have no owner. */
export function addUnfinished(state: State, owner: string | undefined, count: number): void {
  if (owner !== undefined) add(state.unfinishedOf, owner, count)
}

/** This many watches of a session more, or fewer. Those of a closed session have been taken off at its close. */
export function addWatches(state: State, { owner, phase }: Session, count: number): void {
  if (owner !== undefined && phase !== 'closed') add(state.watchesOf, owner, count)
}

function add(counts: Map<string, number>, owner: string, count: number): void {
  const sum = (counts.get(owner) ?? 0) + count
  if (sum > 0) counts.set(owner, sum)
  else counts.delete(owner)
}
