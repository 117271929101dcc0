import type { Seen } from './fold.ts'
import { Teller } from './story-teller.ts'
import type { StoryView } from './story-view.ts'
import { TaskNumbers } from './task-numbers.ts'

/**
 * What happened to one task, in order, as far as it was observed. `before`: tasks submitted before the first observation.
 */
export function storyOf(seen: readonly Seen[], id: string, before = 0): StoryView {
  const numbers = new TaskNumbers(seen, before)
  const first = numbers.of(id)
  // Nothing is known of a task before its submission.
  const own = seen.slice(
    Math.max(
      0,
      seen.findIndex((one) => one.type === 'submitting' && one.id === id),
    ),
  )
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
