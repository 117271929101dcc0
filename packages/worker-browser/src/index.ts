/**
 * A browser tab as a worker.
 * @module @sluice/worker-browser
 */
export type { TabWorkerState } from '@sluice/machines/states'
export type { Device, PageLife, PressureState } from './device.ts'
export { HandlerWorkerDiedError } from './handler-worker-error.ts'
export type { Hours } from './hours.ts'
export { createTabWorker, type TabWorker } from './tab-worker.ts'
export type { TabWorkerOptions } from './tab-worker-options.ts'
export type { PauseReason, TabWorkerFailure, TabWorkerSnapshot, TabWorkerStats } from './tab-worker-snapshot.ts'
export { arrayOf, bytesOf } from './typed-bytes.ts'
