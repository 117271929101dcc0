import type { State } from './state.ts'

/** What `evolve` counts for each principal. Nothing else may call this. */

/** This many unfinished tasks of a principal more, or fewer. Nothing is counted where tasks have no owner. */
export function addUnfinished(state: State, owner: string | undefined, count: number): void {
  if (owner === undefined) return
  const unfinished = (state.unfinishedOf.get(owner) ?? 0) + count
  if (unfinished > 0) state.unfinishedOf.set(owner, unfinished)
  else state.unfinishedOf.delete(owner)
}
