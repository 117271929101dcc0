/**
 * Works on tasks in Node: in the process, or in a pool of threads.
 * @module @sluice/worker-node
 */
export type { Handlers } from '@sluice/client'
export { createWorker, type WorkerOptions } from './create-worker.ts'
export { HandlerModuleError, loadHandlers } from './load-handlers.ts'
export { createNodePlatform, type NodePlatformOptions, nodePlatform } from './platform.ts'
export { drainOnSignals } from './signals.ts'
export { createThreadPool, type ThreadPoolOptions } from './thread-pool.ts'
export { startWorkerProcess, type WorkerProcess, type WorkerProcessOptions } from './worker-process.ts'
