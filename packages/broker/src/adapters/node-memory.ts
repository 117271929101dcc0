import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import type { Memory } from '../core/memory-bounds.ts'

/** The memory of this process: its heap limit (`--max-old-space-size`) and the memory of the machine or container. */
export function nodeMemory(): Memory {
  const constrained = process.constrainedMemory()
  const machine = totalmem()
  return {
    heapBytes: getHeapStatistics().heap_size_limit,
    // This is 0, or more than the machine has, if nothing constrains the process.
    totalBytes: constrained > 0 ? Math.min(constrained, machine) : machine,
  }
}
