import type { JobName, Jobs, Order } from './jobs.ts'

export type JobAnswer = { result: unknown } | { error: string }

/** A Worker that does one job at a time. */
export interface JobWorker {
  onmessage: ((event: { data: JobAnswer }) => void) | null
  onerror: ((event: { message: string }) => void) | null
  postMessage(order: Order): void
  terminate(): void
}

interface Waiting {
  order: Order
  signal: AbortSignal | undefined
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
}

/** Gives jobs to Workers, which are started when they are needed and used again. */
export class Pool {
  readonly #start: () => JobWorker
  readonly size: number
  readonly #idle: JobWorker[] = []
  readonly #waiting: Waiting[] = []
  #busy = 0

  constructor(start: () => JobWorker, size: number) {
    this.#start = start
    this.size = Math.max(1, size)
  }

  /** A job whose signal has fired is not begun; one that has begun ends, and its result is dropped. */
  do<Name extends JobName>(
    name: Name,
    order: Jobs[Name]['order'],
    signal?: AbortSignal,
  ): Promise<Jobs[Name]['result']> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        order: { name, order } as Order,
        signal,
        resolve: resolve as (result: unknown) => void,
        reject,
      })
      this.#next()
    })
  }

  #next(): void {
    while (this.#busy < this.size) {
      const job = this.#waiting.shift()
      if (job === undefined) return
      if (job.signal?.aborted) job.reject(job.signal.reason)
      else this.#give(job)
    }
  }

  #give({ order, signal, resolve, reject }: Waiting): void {
    const worker = this.#idle.pop() ?? this.#start()
    this.#busy += 1
    const ended = (): void => {
      this.#busy -= 1
      this.#next()
    }
    worker.onmessage = ({ data }) => {
      this.#idle.push(worker)
      if (signal?.aborted) reject(signal.reason)
      else if ('error' in data) reject(new Error(data.error))
      else resolve(data.result)
      ended()
    }
    worker.onerror = ({ message }) => {
      worker.terminate()
      reject(new Error(`a Worker has stopped: ${message}`))
      ended()
    }
    worker.postMessage(order)
  }
}

let shared: Pool | undefined

/** The pool of this page. One core is left for what is seen. */
export function pool(): Pool {
  shared ??= new Pool(
    () => new Worker(new URL('./job-worker.ts', import.meta.url), { type: 'module' }) as unknown as JobWorker,
    (navigator.hardwareConcurrency ?? 2) - 1,
  )
  return shared
}
