import { createWorker } from '@sluice/worker-node'
import { serve } from '../child.ts'

export interface WorkerSettings {
  url: string
  queue: string
  concurrency: number
  token?: string
}

// The handler answers with its input, so that a result is as large as a task.
serve(async ({ url, queue, concurrency, token }: WorkerSettings) => {
  const handlers = { [queue]: (input: unknown) => input }
  const worker = createWorker({ url, concurrency, handlers, ...(token === undefined ? {} : { token }) })
  worker.start()
  return {}
})
