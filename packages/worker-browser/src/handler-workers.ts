import type { PageMessage } from './connection-messages.ts'
import { type ConnectMessage, isServing } from './handler-messages.ts'

export interface HandlerWorkersHost {
  /** The app's factory. */
  makeWorker: () => Worker
  /** The queues that each Worker has to serve. */
  queues: readonly string[]
  /** How long a script may take until it calls `serveHandlers`, in ms. */
  loadMsMax: number
  setTimer(fn: () => void, ms: number): () => void
  /** A name that no other tab has. */
  uniqueName(): string
  tellConnection(message: PageMessage, transfer?: Transferable[]): void
}

const NOT_LOADED =
  'the script of the handler Worker did not load: check its URL, and `worker-src` in the Content-Security-Policy of the page'

/**
 * The handler Workers, which only the page can make and terminate. Each gets a port that leads to the connection Worker,
 * so that no task passes through the page.
 */
export class HandlerWorkers {
  readonly #host: HandlerWorkersHost
  readonly #workers = new Map<number, { worker: Worker; forget: () => void }>()

  constructor(host: HandlerWorkersHost) {
    this.#host = host
  }

  get count(): number {
    return this.#workers.size
  }

  spawn(id: number): void {
    let worker: Worker
    try {
      worker = this.#host.makeWorker()
    } catch (error) {
      this.#host.tellConnection({ type: 'unusable', worker: id, message: `worker() threw: ${String(error)}` })
      return
    }
    const unusable = (message: string) => {
      this.end(id)
      this.#host.tellConnection({ type: 'unusable', worker: id, message })
    }
    const { loadMsMax } = this.#host
    const cancel = this.#host.setTimer(
      () => unusable(`its script did not call serveHandlers within ${loadMsMax} ms`),
      loadMsMax,
    )
    const onMessage = ({ data }: MessageEvent) => {
      if (!isServing(data)) return
      forget()
      const missing = this.#host.queues.filter((queue) => !data.queues.includes(queue))
      if (missing.length === 0) this.#connect(id, worker)
      else unusable(`serveHandlers has no handler for the queue '${missing.join("', '")}'`)
    }
    // An error after this is one of a handler, which its Worker reports itself.
    const onError = (event: Event) => {
      const { message, filename, lineno } = event as Partial<ErrorEvent>
      unusable(message ? `its script failed: ${message} (${filename}:${lineno})` : NOT_LOADED)
    }
    const forget = () => {
      cancel()
      worker.removeEventListener('message', onMessage)
      worker.removeEventListener('error', onError)
    }
    this.#workers.set(id, { worker, forget })
    worker.addEventListener('message', onMessage)
    worker.addEventListener('error', onError)
  }

  end(id: number): void {
    const ended = this.#workers.get(id)
    if (ended === undefined) return
    this.#workers.delete(id)
    ended.forget()
    ended.worker.terminate()
  }

  endAll(): void {
    for (const id of [...this.#workers.keys()]) this.end(id)
  }

  #connect(id: number, worker: Worker): void {
    const { port1, port2 } = new MessageChannel()
    const lock = `sluice.handler-worker.${this.#host.uniqueName()}`
    worker.postMessage({ sluice: 'connect', lock } satisfies ConnectMessage, [port1])
    this.#host.tellConnection({ type: 'serving', worker: id, port: port2, lock }, [port2])
  }
}
