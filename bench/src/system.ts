import { startBroker } from './broker.ts'
import { type Child, Processes } from './child.ts'
import { Scratch } from './machine.ts'
import type { Durability } from './processes/broker.ts'
import type { Window } from './rate.ts'

const workerProcess = new URL('./processes/worker.ts', import.meta.url)
const producerProcess = new URL('./processes/producer.ts', import.meta.url)

export const queue = 'bench'

/** Deliveries that the worker of every measurement takes at once. */
export const concurrency = 5000

/** `token`: for a broker with access control. */
export function startWorker(processes: Processes, url: string, token?: string): Promise<Child> {
  return processes.start(workerProcess, { url, queue, concurrency, ...(token === undefined ? {} : { token }) })
}

/** Broker, worker and producer in new processes, on a new journal. */
async function withSystem<T>(
  durability: Durability,
  use: (producer: Child, httpUrl: string) => Promise<T>,
): Promise<T> {
  using scratch = new Scratch()
  await using processes = new Processes()
  const { url, httpUrl } = await startBroker(processes, { durability, path: scratch.file('journal.db') })
  await startWorker(processes, url)
  return await use(await processes.start(producerProcess, { url, queue }), httpUrl)
}

/** Tasks a second from `submit()` to `result()`. */
export function systemThroughput(durability: Durability, inFlight: number, window: Window): Promise<number> {
  return withSystem(durability, (producer) => producer.call<number>('throughput', { inFlight, ...window }))
}

/** What single tasks take, one after another. */
export interface Latency {
  /** Milliseconds from `submit()` to `result()`, one for each task but those of the warm-up. */
  samples: number[]
  /** Batches in the journal at the end, for each task: what each one waited for, and what was written on the side. */
  appendsPerTask: number
}

export function systemLatency(durability: Durability, run: { warmUp: number; count: number }): Promise<Latency> {
  return withSystem(durability, async (producer, httpUrl) => {
    const samples = await producer.call<number[]>('latency', run)
    const { journal } = (await (await fetch(`${httpUrl}/healthz`)).json()) as { journal: { batches: number } }
    return { samples, appendsPerTask: journal.batches / (run.warmUp + run.count) }
  })
}
