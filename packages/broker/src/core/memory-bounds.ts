import type { EngineConfig } from '@sluice/engine'

/** The memory of a process. */
export interface Memory {
  /** The maximum size of its heap in bytes. */
  heapBytes: number
  /** The maximum memory that it may use in all, in bytes. */
  totalBytes: number
}

/** The maximum heap bytes of a task without failures and progress, if it shares nothing with others. */
const TASK_BYTES = 600
const HEAP_SHARE_OF_TASKS = 0.4
const HEAP_SHARE_OF_HISTORIES = 0.15
/** The share for bodies and results, which lie outside the heap or in the page cache of the operating system. */
const MEMORY_SHARE_OF_BYTES = 0.5

/**
 * The bounds over all queues that fit into this memory. The rest is for connections, buffers and garbage collection.
 */
export function memoryBounds({
  heapBytes,
  totalBytes,
}: Memory): Pick<EngineConfig, 'tasksMax' | 'bytesMax' | 'historyBytesMax'> {
  return {
    tasksMax: Math.floor((heapBytes * HEAP_SHARE_OF_TASKS) / TASK_BYTES),
    bytesMax: Math.floor(totalBytes * MEMORY_SHARE_OF_BYTES),
    historyBytesMax: Math.floor(heapBytes * HEAP_SHARE_OF_HISTORIES),
  }
}
