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
