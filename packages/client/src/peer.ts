import { type Client, type ClientOptions, ProducerClient } from './client.ts'
import { Connection } from './connection.ts'
import { safeLogger } from './logger.ts'
import { defaultPlatform } from './platform.ts'
import { createWorkerOn } from './worker.ts'
import type { Worker, WorkerOptions } from './worker-options.ts'

/** A program that submits tasks and works on tasks. */
export interface Peer {
  readonly client: Client
  /** It begins at once. `worker.start()` resolves when it is connected. */
  readonly worker: Worker
  /**
   * Closes both halves, the worker first. Either can be closed by itself; the other goes on over the same connection.
   * @param options `drainMs` as for `client.close`, `graceMs` as for `worker.drain`; without it running tasks are
   * handed back at once
   */
  close(options?: { drainMs?: number; graceMs?: number }): Promise<void>
}

/**
 * A client and a worker on one connection, with one session and one token. Use it where each connection costs, such as
 * in a page or on a phone.
 * @throws Error naming the option that cannot be used, or the reason why this runtime can never connect
 */
export function createPeer(options: ClientOptions & WorkerOptions): Peer {
  const { platform = defaultPlatform } = options
  const logger = safeLogger(options.logger, platform.warn)
  const connection = new Connection({ ...options, platform, logger })
  // The worker comes first, because its handlers are checked before anything is opened.
  const worker = createWorkerOn(connection, options)
  let client: ProducerClient
  try {
    client = new ProducerClient(options, connection)
  } catch (error) {
    void worker.close()
    throw error
  }
  connection.start()
  if (client.failure !== undefined) throw client.failure
  return {
    client,
    worker,
    close: async ({ drainMs, graceMs } = {}) => {
      await (graceMs === undefined ? worker.close() : worker.drain({ graceMs }))
      await client.close(drainMs === undefined ? {} : { drainMs })
    },
  }
}
