import {
  type ConnectionState,
  createWorker,
  failureOf,
  type Logger,
  type Platform,
  type Socket,
  type Worker,
} from '@sluice/client'
import type { Labels } from '@sluice/protocol'
import { ClockWatch, LOOK_MS } from './clock-watch.ts'
import type { ConnectionMessage, ConnectionSettings, PageMessage } from './connection-messages.ts'
import { HandlerPool } from './handler-pool.ts'
import { plainFields } from './plain-fields.ts'

/** The shortest time between two reports of the state to the page, in ms. */
const STATUS_MS = 200

/** What the session needs from its Worker. */
export interface SessionHost {
  platform: Platform
  /** What the tab announces, besides what the app has set. */
  labels: Labels
  post(message: ConnectionMessage, transfer?: Transferable[]): void
  awaitLock(name: string, onFree: () => void): () => void
}

/**
 * The connection Worker's program: the socket with its leases and heartbeats, and the pool that runs the handlers
 * elsewhere. It serves one stay at the broker, from `work` to `left`, and runs no handler itself.
 */
export class TabSession {
  readonly #host: SessionHost
  readonly #logger: Logger
  #settings: ConnectionSettings | undefined
  #worker: Worker | undefined
  #pool: HandlerPool | undefined
  #connection: ConnectionState = 'idle'
  #isPaused = false
  #isLeft = false
  #socket: Socket | undefined
  #cancelStatus: (() => void) | undefined
  /** What the page knows, as JSON. */
  #told = ''
  /** What the worker was last sized to, as JSON. */
  #size = ''
  #cancelLook: () => void = () => {}
  #asks = 0
  readonly #asked = new Map<number, { resolve: (token: string) => void; reject: (error: Error) => void }>()

  constructor(host: SessionHost) {
    this.#host = host
    const log = (level: keyof Logger) => (fields: object, message: string) => this.#log(level, fields, message)
    this.#logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  }

  receive(message: PageMessage): void {
    switch (message.type) {
      case 'settings':
        this.#settings = message.settings
        return
      case 'work':
        this.#isPaused = false
        this.#work()
        return
      case 'pause':
        this.#isPaused = true
        this.#resize()
        return
      case 'leave':
        if (this.#worker === undefined) this.#left()
        else void this.#worker.close()
        return
      case 'drain':
        if (this.#worker === undefined) this.#left()
        else void this.#worker.drain({ graceMs: message.graceMs })
        return
      case 'share':
        if (this.#settings) this.#settings.cpuShare = message.cpuShare
        if (this.#pool) this.#pool.cpuShare = message.cpuShare
        this.#resize()
        return
      case 'token':
        this.#asked.get(message.id)?.resolve(message.token)
        this.#asked.delete(message.id)
        return
      case 'noToken':
        this.#asked.get(message.id)?.reject(new Error(message.message))
        this.#asked.delete(message.id)
        return
      case 'serving':
        this.#pool?.serving(message.worker, message.port, message.lock)
        return
      case 'unusable':
        this.#pool?.unusable(message.worker, message.message)
    }
  }

  #work(): void {
    const settings = this.#settings
    if (settings === undefined || this.#isLeft) return
    if (this.#worker !== undefined) {
      this.#resize()
      return
    }
    const { platform } = this.#host
    const { url, name, labels, queues, size, cpuShare, abortGraceMs, timings } = settings
    const pool = new HandlerPool(
      {
        setTimer: platform.setTimer,
        spawn: (worker) => this.#host.post({ type: 'spawn', worker }),
        end: (worker) => this.#host.post({ type: 'end', worker }),
        awaitLock: (lock, onFree) => this.#host.awaitLock(lock, onFree),
        onCapacity: () => this.#resize(),
        log: (level, fields, message) => this.#log(level, fields, message),
      },
      { size, cpuShare, abortGraceMs },
    )
    this.#pool = pool
    this.#worker = createWorker({
      url,
      name,
      labels: { ...this.#host.labels, ...labels },
      queues,
      handlers: {},
      executor: {
        run: (task, hooks) => {
          this.#tellStatus()
          return pool.run(task, hooks)
        },
        close: () => pool.close(),
      },
      concurrency: size,
      platform: { ...platform, connect: (to, options) => this.#connect(to, options) },
      logger: this.#logger,
      onConnectionChange: (state) => {
        this.#connection = state
        this.#tellStatus()
      },
      onError: (error, task) => {
        if (task === undefined) this.#host.post({ type: 'failed', failure: failureOf(error) })
      },
      ...(timings !== undefined && { timings }),
      ...this.#token(settings.token),
    })
    this.#resize()
    // The page hears of a refusal through `onError`.
    this.#worker.start().catch(() => {})
    this.#worker.closed.then(() => this.#left())
    this.#watchClock()
  }

  #token(token: ConnectionSettings['token']) {
    if (token === undefined) return {}
    return { token: token === true ? () => this.#askToken() : token }
  }

  #askToken(): Promise<string> {
    const id = this.#asks++
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      this.#host.post({ type: 'askToken', id })
    })
  }

  /** Asks the broker for as many tasks as handlers can run now. */
  #resize(): void {
    const { worker, pool, settings } = this.#parts()
    if (worker === undefined) return
    const concurrency = this.#isPaused ? 0 : pool.ready
    // What is held ready while a Worker rests would wait for long, and others could do it.
    const prefetch = settings.cpuShare < 1 ? 0 : (settings.prefetch ?? concurrency)
    const size = JSON.stringify([concurrency, prefetch])
    // Each resize is a message to the broker.
    if (size !== this.#size) worker.resize({ concurrency, prefetch })
    this.#size = size
    this.#leaveWhenIdle()
    this.#tellStatus()
  }

  #parts() {
    const [worker, pool, settings] = [this.#worker, this.#pool, this.#settings]
    if (worker === undefined || pool === undefined || settings === undefined) return {}
    return { worker, pool, settings }
  }

  #leaveWhenIdle(): void {
    if (this.#isPaused && !this.#isBusy) void this.#worker?.close()
  }

  #left(): void {
    if (this.#isLeft) return
    this.#isLeft = true
    this.#cancelLook()
    this.#cancelStatus?.()
    this.#postStatus()
    this.#host.post({ type: 'left' })
  }

  // ─── the page's view ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Tells the page what has changed, now and then again until nothing changes any more. */
  #tellStatus(): void {
    if (this.#cancelStatus !== undefined || this.#isLeft) return
    this.#postStatus()
    this.#cancelStatus = this.#host.platform.setTimer(() => {
      this.#cancelStatus = undefined
      this.#leaveWhenIdle()
      if (this.#postStatus() || this.#isBusy) this.#tellStatus()
    }, STATUS_MS)
  }

  get #isBusy(): boolean {
    const { running = 0, queued = 0, settling = 0 } = this.#worker?.stats() ?? {}
    return running + queued + settling > 0
  }

  /** @returns whether there was anything new */
  #postStatus(): boolean {
    const { worker, pool } = this.#parts()
    if (worker === undefined) return false
    const { ready, resting } = pool
    const trouble = worker.trouble ?? (ready + resting === 0 ? pool.trouble : undefined)
    const status = { connection: this.#connection, trouble, stats: worker.stats(), ready, resting }
    const said = JSON.stringify(status)
    if (said === this.#told) return false
    this.#told = said
    this.#host.post({ type: 'status', status })
    return true
  }

  #log(level: keyof Logger, fields: object, message: string): void {
    this.#host.post({ type: 'log', level, fields: plainFields(fields), message })
  }

  // ─── sleep ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #connect(url: string, options: { protocol: string }): Socket {
    this.#socket = this.#host.platform.connect(url, options)
    return this.#socket
  }

  /** After a sleep the socket may be dead although it says that it is open, and leases may be lost. */
  #watchClock(): void {
    const { platform } = this.#host
    const watch = new ClockWatch(platform.now(), platform.epochMs())
    const look = () => {
      if (watch.look(platform.now(), platform.epochMs())) this.#reconnect()
      this.#cancelLook = platform.setTimer(look, LOOK_MS)
    }
    this.#cancelLook = platform.setTimer(look, LOOK_MS)
  }

  /** Resumes the session on a new connection. The broker then says which leases are lost. */
  #reconnect(): void {
    const socket = this.#socket
    if (socket === undefined) return
    this.#log('info', {}, 'the tab or the machine slept: the session is resumed on a new connection')
    const { onclose } = socket
    socket.onclose = () => {}
    socket.close(1000, 'slept')
    onclose({ code: 1006, reason: 'the tab or the machine slept' })
  }
}
