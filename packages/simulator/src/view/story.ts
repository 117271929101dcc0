import type { Seen } from './fold.ts'
import { Teller } from './story-teller.ts'
import type { StoryView } from './story-view.ts'
import { TaskNumbers } from './task-numbers.ts'

/**
 * What happened to one task, in order, as far as it was observed. `before`: tasks submitted before the first observation.
 * `landmarks`: the observations among which submissions are looked for, if there is a shorter list.
 */
export function storyOf(seen: readonly Seen[], id: string, before = 0, landmarks = seen): StoryView {
  const numbers = new TaskNumbers(landmarks, before)
  const first = numbers.of(id)
  // Nothing is known of a task before its submission.
  const own = first === undefined ? seen : seen.slice(firstAt(seen, first.atMs))
  const teller = new Teller(id, own)
  for (let at = 0; at < own.length; at += 1) teller.see(own[at] as Seen, at)
  const { state, attempts, runs, endedAtMs, steps } = teller
  return {
    id,
    task: numbers.name(id),
    queue: first?.queue,
    producer: first?.producer,
    state,
    attempts,
    runs,
    submittedAtMs: first?.atMs,
    endedAtMs,
    steps,
  }
}

/** The place of the first observation of this instant. */
function firstAt(seen: readonly Seen[], atMs: number): number {
  let low = 0
  let high = seen.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((seen[middle] as Seen).atMs < atMs) low = middle + 1
    else high = middle
  }
  return low
}
