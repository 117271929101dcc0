/**
 * Submits tasks and works on them, in any runtime with a WebSocket.
 * @module @sluice/client
 */
export type { ConnectionState, ConnectionTimings, Transition, WorkerState } from '@sluice/machines/states'
export type {
  DeadReason,
  ErrorCode,
  RetryPolicy,
  SubmitOptions,
  TaskFailure,
  TaskStateName,
  TaskStatus,
  WireError,
} from '@sluice/protocol'
export { uuidv7Source } from '@sluice/protocol/uuidv7'
export { type Client, type ClientOptions, createClient, type SubmitCallOptions } from './client.ts'
export { strictJson } from './encode-value.ts'
export {
  ClosedError,
  HandBackError,
  LeaseLostError,
  PermanentError,
  RetryableError,
  retryAfter,
  SluiceError,
  TaskCancelledError,
  TaskDeadError,
  TimeLimitExceeded,
  ValidationError,
} from './errors.ts'
export type { Executor, ExecutorHooks, ExecutorTask } from './executor.ts'
export { type Failure, failureOf } from './failure.ts'
export type { TaskHandle } from './handle.ts'
export { type AnyHandler, type ContractHandler, type Handler, handle, runHandler, type TaskContext } from './handler.ts'
export { type Handlers, handlersByQueue } from './handlers.ts'
export { type Logger, safeLogger, silentLogger, type TaskLogger, taskLogger } from './logger.ts'
export { createPeer, type Peer } from './peer.ts'
export { defaultPlatform, type Platform, type Socket } from './platform.ts'
export { defineTask, type TaskContract } from './task-contract.ts'
export type { TokenSource } from './token-source.ts'
export { createWorker } from './worker.ts'
export type { Worker, WorkerOptions, WorkerStats } from './worker-options.ts'
