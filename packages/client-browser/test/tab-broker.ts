import { createWorker, type WorkerOptions } from '@sluice/client'
import { type BrowserClient, type BrowserClientOptions, createBrowserClient } from '@sluice/client-browser'
import { inject, onTestFinished } from 'vitest'
import { databaseName } from './databases.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where tests in a browser find their broker, and where a POST restarts it on the same file and port. */
    brokerOfTabs: { url: string; restartUrl: string }
  }
}

export const { url, restartUrl } = inject('brokerOfTabs')

/** A client on an outbox of its own, unless a name is given. It is closed when the test ends. */
export function browserClient(options: Partial<BrowserClientOptions> = {}): BrowserClient {
  const outbox = { ...options.outbox, name: options.outbox?.name ?? databaseName() }
  const client = createBrowserClient({ url, owner: 'ada', ...options, outbox })
  onTestFinished(() => client.close())
  return client
}

/** A worker for queues of this test. It is closed when the test ends. */
export function worker(handlers: WorkerOptions['handlers']): void {
  const worker = createWorker({ url, handlers, concurrency: 20 })
  worker.start()
  onTestFinished(() => worker.close())
}

export const queueName = (): string => `q-${crypto.randomUUID()}`

/** An address where nobody listens. */
export const NOBODY = 'ws://127.0.0.1:9'
