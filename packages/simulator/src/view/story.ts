import type { Seen } from './fold.ts'
import { Teller } from './story-teller.ts'
import { TaskNumbers } from './task-numbers.ts'

export type Tone = 'plain' | 'good' | 'warn' | 'bad'

/** One thing that happened to a task. */
export interface StoryStep {
  atMs: number
  /** Who did it, such as `worker-2`. */
  who: string
  /** One or two sentences. */
  text: string
  /** The rule of SPEC.md behind it, such as `LEASE-3`. */
  rule: string
  tone: Tone
  /** The attempt that it belongs to, from 1. */
  attempt: number | undefined
}

export interface StoryView {
  id: string
  /** Such as `#12`. */
  task: string
  queue: string | undefined
  producer: string | undefined
  /** `submitted`: the broker has not accepted it. */
  state: 'submitted' | 'delayed' | 'ready' | 'leased' | 'succeeded' | 'dead' | 'cancelled' | 'gone'
  /** Deliveries so far. */
  attempts: number
  /** Handlers that have begun it. */
  runs: number
  submittedAtMs: number | undefined
  /** When the broker recorded its outcome. */
  endedAtMs: number | undefined
  steps: readonly StoryStep[]
}

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
