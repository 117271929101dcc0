import type { Body } from '@sluice/protocol'

export interface ExecutorTask {
  queue: string
  id: string
  attempt: number
  /** Owned by the executor: its buffer may be transferred. */
  input: Body
  timeLimitMs?: number
}

export interface ExecutorHooks {
  /** Fires when the result would not be used any more: stop the handler, by force if need be. */
  signal: AbortSignal
  progress(value: unknown): void
  /**
   * Whether the handler runs; true at first. The task's time limit counts only while it does, anew from each `true`: tell `false`
   * while the task waits for a place or for its code.
   */
  setRunning(isRunning: boolean): void
}

/**
 * Runs handlers somewhere else, such as in a pool of threads.
 *
 * What `run` rejects with decides about the next attempt, by its fields `name`, `message`, `stack`, and where present
 * `retryable` (boolean) and `retryAfterMs` (ms). A HandBackError hands the task back. `failureOf` makes data of whatever a handler has thrown elsewhere.
 */
export interface Executor {
  /** The attempt counts as begun when this is called: one that holds a task back has it charged all the same. */
  run(task: ExecutorTask, hooks: ExecutorHooks): Promise<Body>
  close(): Promise<void>
}
