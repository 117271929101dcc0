import { randomUUID } from 'node:crypto'
import { openSync, writeSync } from 'node:fs'
import { createWorker } from '@sluice/worker-node'
import { serve } from '../child.ts'
import { machineMs } from '../clock.ts'
import { sleep } from '../wait.ts'

export interface TortureWorkerSettings {
  url: string
  queue: string
  concurrency: number
  /** Every start of a handler is appended here, `<machine ms> <task id>` a line, before the handler does anything. */
  log: string
}

// The result holds a word that no other execution says: two outcomes of one task cannot look alike.
serve(async ({ url, queue, concurrency, log }: TortureWorkerSettings) => {
  // A write has reached the kernel when it returns, so that kill -9 of this process loses no line.
  const file = openSync(log, 'a')
  const worker = createWorker({
    url,
    concurrency,
    handlers: {
      [queue]: async ({ workMs }: { workMs: number }, { id }: { id: string }) => {
        writeSync(file, `${machineMs()} ${id}\n`)
        await sleep(workMs)
        return { execution: randomUUID() }
      },
    },
  })
  worker.start()
  return {}
})
