import { type Failure, failureOf, type Logger, type TokenSource } from '@sluice/client'
import type { ConnectionMessage, ConnectionSettings, ConnectionStatus, PageMessage } from './connection-messages.ts'
import { HandlerWorkers } from './handler-workers.ts'

/** How long the connection Worker may take to leave the broker, in ms. */
const LEAVE_MS_MAX = 2000
/** How long a page that is about to stop waits for the connection Worker to leave, in ms. */
const MOMENT_MS = 50

export interface LinkOptions {
  settings: ConnectionSettings
  makeConnection: () => Worker
  makeWorker: () => Worker
  token: TokenSource | undefined
  loadMsMax: number
  logger: Logger
  now(): number
  setTimer(fn: () => void, ms: number): () => void
  uniqueName(): string
}

export interface LinkHost {
  onStatus(status: ConnectionStatus): void
  onFailed(failure: Failure): void
  /** It holds nothing any more, and all its Workers have ended. */
  onLeft(): void
}

const NO_CONNECTION_WORKER =
  'the connection Worker did not load: check that the bundler has put out connection-worker.js, and `worker-src` in the ' +
  'Content-Security-Policy of the page'

/** The page's end of one connection Worker, and the handler Workers that belong to it. Both end together. */
export class ConnectionLink {
  readonly #options: LinkOptions
  readonly #host: LinkHost
  readonly #connection: Worker
  readonly #handlers: HandlerWorkers
  #isOver = false
  #cancelLeave: (() => void) | undefined

  /** @throws what `makeConnection` throws */
  constructor(options: LinkOptions, host: LinkHost) {
    this.#options = options
    this.#host = host
    const { makeWorker, settings, loadMsMax } = options
    this.#handlers = new HandlerWorkers({
      makeWorker,
      queues: settings.queues,
      loadMsMax,
      setTimer: options.setTimer,
      uniqueName: options.uniqueName,
      tellConnection: (message, transfer) => this.#tell(message, transfer),
    })
    this.#connection = options.makeConnection()
    this.#connection.onmessage = ({ data }: MessageEvent<ConnectionMessage>) => this.#heard(data)
    this.#connection.onerror = (event) => {
      const message = event.message ? `the connection Worker failed: ${event.message}` : NO_CONNECTION_WORKER
      this.#host.onFailed({ error: { name: 'ConnectionWorkerError', message } })
    }
    this.#tell({ type: 'settings', settings })
  }

  work(): void {
    this.#tell({ type: 'work' })
  }

  /** Takes no more tasks, and leaves when the running handlers have finished. */
  pause(): void {
    this.#tell({ type: 'pause' })
  }

  drain(graceMs: number): void {
    this.#tell({ type: 'drain', graceMs })
  }

  setShare(cpuShare: number): void {
    this.#tell({ type: 'share', cpuShare })
  }

  /** Hands back everything and leaves. The connection Worker then has the handlers ended. */
  leave(): void {
    if (this.#isOver || this.#cancelLeave !== undefined) return
    this.#cancelLeave = this.#options.setTimer(() => this.end(), LEAVE_MS_MAX)
    this.#tell({ type: 'leave' })
  }

  /**
   * The same where nothing runs any more after this call. The connection Worker gets a moment to hand back. If it does
   * not use that, the broker notices that its connection is closed.
   */
  leaveNow(): void {
    this.#tell({ type: 'leave' })
    const untilMs = this.#options.now() + MOMENT_MS
    while (this.#options.now() < untilMs);
    this.end()
  }

  /** Ends all its Workers without a word to the broker, which takes the leases back by itself. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelLeave?.()
    this.#handlers.endAll()
    this.#connection.terminate()
    this.#host.onLeft()
  }

  #tell(message: PageMessage, transfer: Transferable[] = []): void {
    if (!this.#isOver) this.#connection.postMessage(message, transfer)
  }

  #heard(message: ConnectionMessage): void {
    if (this.#isOver) return
    switch (message.type) {
      case 'status':
        this.#host.onStatus(message.status)
        return
      case 'spawn':
        if (this.#cancelLeave === undefined) this.#handlers.spawn(message.worker)
        return
      case 'end':
        this.#handlers.end(message.worker)
        return
      case 'askToken':
        void this.#giveToken(message.id)
        return
      case 'log':
        this.#options.logger[message.level](message.fields, message.message)
        return
      case 'failed':
        this.#host.onFailed(message.failure)
        return
      case 'left':
        this.end()
    }
  }

  async #giveToken(id: number): Promise<void> {
    const { token } = this.#options
    try {
      const text: unknown = typeof token === 'function' ? await token() : token
      if (typeof text !== 'string') throw new TypeError(`token() has to give a text, not ${typeof text}`)
      this.#tell({ type: 'token', id, token: text })
    } catch (error) {
      this.#tell({ type: 'noToken', id, message: failureOf(error).error.message })
    }
  }
}
