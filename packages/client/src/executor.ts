import type { Body } from '@sluice/protocol'

export interface ExecutorTask {
  queue: string
  id: string
  attempt: number
  /** The executor owns it and may transfer its buffer. */
  input: Body
  timeLimitMs?: number
}

export interface ExecutorHooks {
  /** Fires when the result would not be used any more. Stop the handler then, by force if needed. */
  signal: AbortSignal
  progress(value: unknown): void
  /**
   * Tells whether the handler runs; true at first. The task's time limit counts only while it runs, and starts again
   * with each `true`. Pass `false` while the task waits for a free thread or for its code.
   */
  setRunning(isRunning: boolean): void
}

/**
 * Runs handlers elsewhere, for example in a pool of threads.
 *
 * The rejection of `run` decides about the next attempt, by its fields `name`, `message`, `stack`, and, if present,
 * `retryable` (boolean) and `retryAfterMs` (ms). A HandBackError hands the task back. `failureOf` turns anything that a
 * handler threw elsewhere into data.
 */
export interface Executor {
  /**
   * The attempt counts as begun when this is called. If the executor delays a task, the attempt is charged all the
   * same.
   */
  run(task: ExecutorTask, hooks: ExecutorHooks): Promise<Body>
  close(): Promise<void>
}
