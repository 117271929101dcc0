import { createWorker } from '@sluice/worker-node'
import { serve } from '../child.ts'

export interface WorkerSettings {
  url: string
  queue: string
  concurrency: number
}

// The handler answers with its input, so that a result is as large as a task.
serve(async ({ url, queue, concurrency }: WorkerSettings) => {
  const worker = createWorker({ url, concurrency, handlers: { [queue]: (input: unknown) => input } })
  worker.start()
  return {}
})
