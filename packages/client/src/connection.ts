import {
  ChartRunner,
  CONNECTION,
  CONNECTION_TIMINGS,
  type ConnectionContext,
  type ConnectionEvent,
  type ConnectionInput,
} from '@sluice/machines'
import type { ConnectionState, ConnectionTimings } from '@sluice/machines/states'
import {
  type BrokerMessage,
  type ClientMessage,
  DEFAULT_LIMITS,
  decodeBrokerFrame,
  encodeFrames,
  type Labels,
  type Limits,
  SUBPROTOCOL,
  type Welcome,
  type WireError,
} from '@sluice/protocol'
import { chartPlatform } from './chart-platform.ts'
import { ClosedError } from './errors.ts'
import { helloOf } from './hello.ts'
import { type Logger, messageOf } from './logger.ts'
import { Outage, publicUrl } from './outage.ts'
import type { Platform, Socket } from './platform.ts'
import { refusalOf } from './refusal.ts'
import type { SessionOwner } from './session-owner.ts'
import { isTimeout } from './signal.ts'
import { type TokenSource, tokenFrom } from './token-source.ts'
import { turnFlusher } from './turn.ts'

export interface ConnectionOptions {
  /** `ws://` or `wss://`. It never contains the token. */
  url: string
  token?: TokenSource | undefined
  /** A label for people, such as program name and host. */
  name?: string | undefined
  /** What a worker has. */
  labels?: Labels | undefined
  platform: Platform
  logger: Logger
  timings?: Partial<ConnectionTimings> | undefined
}

/**
 * The connection counts as silent after this many heartbeat periods without a message. Each period asks for an answer.
 */
const SILENT_PERIODS = 2.5
/** The number of items that fill a frame well. Waiting for more would only delay them. */
const FLUSH_ITEMS = 500

const WIDEST_LIMITS: Limits = {
  ...(Object.fromEntries(
    Object.keys(DEFAULT_LIMITS).map((name) => [name, Number.MAX_SAFE_INTEGER]),
  ) as unknown as Limits),
  // A deeper value may overflow the reader's stack.
  depthMax: 1000,
}

/** The maximum size of a lease or a task id in a message, and of the message without its list, in bytes. */
const LISTED_BYTES = 40
const MESSAGE_BYTES = 128

/**
 * Keeps one session with a broker alive: runs the connection's state machine, frames messages, detects silence,
 * resumes. Every message passes here. The state machine only sees changes of the connection.
 */
export class Connection {
  readonly #options: ConnectionOptions
  /** The halves of the session that have not left. */
  readonly #owners: SessionOwner[] = []
  /** Those of them that have said goodbye since the broker said that it drains. */
  readonly #drained = new Set<SessionOwner>()
  readonly #platform: Platform
  readonly #logger: Logger
  readonly #chart: ChartRunner<ConnectionContext, ConnectionInput, ConnectionEvent>
  readonly #control: ClientMessage[] = []
  readonly #outage: Outage
  /** Why no attempt can ever succeed. */
  #impossible: Error | undefined
  /** The connection error in the last frame. If no frame follows, it is the reason for the broker's close. */
  #lastWord: WireError | undefined
  #socket: Socket | null = null
  #state: ConnectionState = 'idle'
  #limits: Limits = DEFAULT_LIMITS
  #refs = 0
  /** The `ref` of the last `renew`. */
  #renewal = -1
  #heartbeatMs = 0
  #begins = false
  #heardAtMs = 0
  #beatAtMs = 0
  #cancelBeat: () => void = () => {}
  #cancelWatch: () => void = () => {}
  /** Requests a flush at the end of the turn. Cheap if one is scheduled. */
  readonly requestFlush: () => void

  /** @throws Error if the URL is not one of a WebSocket, because a retry could not help */
  constructor(options: ConnectionOptions) {
    checkUrl(options.url)
    this.#options = options
    this.#platform = options.platform
    this.#logger = options.logger
    this.#outage = new Outage(options.url, this.#logger, () => options.platform.now())
    this.requestFlush = turnFlusher(
      () => this.#waiting,
      FLUSH_ITEMS,
      () => this.flush(),
    )
    const timings = { ...CONNECTION_TIMINGS, ...options.timings }
    const input = { timings, random: () => options.platform.random() }
    this.#chart = new ChartRunner(CONNECTION, input, {
      ...chartPlatform(options.platform, 'connection'),
      effects: {
        openSocket: () => this.#open(),
        closeSocket: ({ code, reason }: { code: number; reason: string }) => this.#drop(code, reason),
        sendHello: () => this.#hello(),
      },
      onChange: (state, context) => this.#changed(state as ConnectionState, context),
    })
    this.#chart.start()
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** The limits of the last welcome. Before the first, the protocol's defaults. */
  get limits(): Limits {
    return this.#limits
  }

  /**
   * How many leases or ids one message may list. The number is small if frames are small, because a list cannot span
   * several messages.
   */
  get listedMax(): number {
    const { batchItemsMax, frameBytesMax } = this.#limits
    return Math.max(1, Math.min(batchItemsMax, Math.floor((frameBytesMax - MESSAGE_BYTES) / LISTED_BYTES)))
  }

  /** The broker's heartbeat period, in ms. */
  get heartbeatMs(): number {
    return this.#heartbeatMs
  }

  /** Whether the broker of the last welcome understands `begin`. */
  get begins(): boolean {
    return this.#begins
  }

  /** Sent bytes that have not left the socket. */
  get unsentBytes(): number {
    return this.#socket?.bufferedBytes ?? 0
  }

  /** Whether messages are sent now. That is so during a drain too, so that running tasks can be settled. */
  get open(): boolean {
    return this.#state === 'ready' || this.#state === 'draining'
  }

  /** Why there is no connection, for people. Undefined while there is one. */
  get trouble(): string | undefined {
    return this.#outage.story
  }

  /** The error for a call that waited in vain for a connection. */
  closedError(message: string): ClosedError {
    return new ClosedError(this.trouble === undefined ? message : `${message}: ${this.trouble}`)
  }

  /** The error of a wait that a signal ended. For a time-out without a connection it adds that fact and the cause. */
  reasonOf({ reason }: AbortSignal): unknown {
    if (this.trouble === undefined || !isTimeout(reason)) return reason
    const error = new Error(`${reason.message}: ${this.trouble}`, { cause: reason })
    error.name = reason.name
    return error
  }

  nextRef(): number {
    this.#refs += 1
    return this.#refs
  }

  /** Adds a half of the session. Call it before `start`, because a session keeps its roles. */
  join(owner: SessionOwner): void {
    this.#owners.push(owner)
  }

  start(): void {
    this.#tell({ type: 'start' })
  }

  /** Queues a message for the next flush. Call it only while `open`. */
  send(message: ClientMessage): void {
    this.#control.push(message)
    this.requestFlush()
  }

  /** Sends everything that may be sent now. */
  flush(): void {
    if (this.open) this.#write(this.#take())
  }

  /**
   * Called after a drain, when this half does not need the connection any more. It reconnects when the broker asks for
   * that.
   */
  drained(owner: SessionOwner): void {
    this.#drained.add(owner)
    if (this.#owners.every((each) => this.#drained.has(each))) this.#tell({ type: 'drained' })
  }

  /**
   * The network or the page is back: ends a back-off, unless the broker asked for it. An open connection has one
   * heartbeat period to show that it is not dead.
   */
  wake(): void {
    if (this.open) this.#probe()
    else this.#tell({ type: 'wake' })
  }

  /** Whether another half needs the session as well. */
  get isShared(): boolean {
    return this.#owners.length > 1
  }

  /**
   * A half leaves. The last one ends the session for good: its leases are released and the broker forgets it.
   */
  stop(owner: SessionOwner): void {
    if (this.isShared) {
      this.flush()
      this.#owners.splice(this.#owners.indexOf(owner), 1)
      // The others may have waited for this one.
      if (this.#state === 'draining' && this.#owners.every((each) => this.#drained.has(each)))
        this.#tell({ type: 'drained' })
      return
    }
    if (this.open) {
      const messages = this.#take()
      messages.push({ type: 'bye' })
      this.#write(messages)
    }
    this.#tell({ type: 'stop' })
  }

  get #waiting(): number {
    return this.#owners.reduce((sum, owner) => sum + owner.waiting(), this.#control.length)
  }

  #take(): ClientMessage[] {
    const messages = this.#control.splice(0)
    for (const owner of this.#owners) owner.collect(messages)
    return messages
  }

  #tell(event: ConnectionEvent): void {
    if (this.#state !== 'failed' && this.#state !== 'stopped') this.#chart.send(event)
  }

  #changed(state: ConnectionState, { error, delayMs }: ConnectionContext): void {
    if (state === this.#state) return
    const wasOpen = this.open
    this.#state = state
    if (wasOpen && !this.open) {
      this.#cancelBeat()
      this.#cancelWatch()
      this.#control.length = 0
      for (const owner of this.#owners) owner.onDisconnected()
    }
    if (state === 'backingOff') this.#outage.lost(error, delayMs)
    else if (state === 'ready') this.#outage.back()
    else if (state === 'failed') {
      for (const owner of [...this.#owners]) owner.onFailed(this.#impossible ?? refusalOf(error))
    }
    for (const owner of this.#owners) owner.onStateChange(state)
  }

  #open(): void {
    let socket: Socket
    try {
      socket = this.#platform.connect(this.#options.url, { protocol: SUBPROTOCOL })
    } catch (error) {
      // No attempt can succeed. The platform throws in this case, and the state machine gets a close that is final.
      this.#impossible = new Error(`${publicUrl(this.#options.url)} cannot be reached: ${messageOf(error)}`, {
        cause: error,
      })
      this.#tell({ type: 'closed', code: 1000, reason: this.#impossible.message })
      return
    }
    this.#socket = socket
    this.#lastWord = undefined
    let unsaid = 'no WebSocket opens there, and the runtime does not say why (is it a broker?)'
    socket.onopen = () => {
      unsaid = 'the connection broke off'
      this.#tell({ type: 'opened' })
    }
    socket.onmessage = (data) => this.#receive(data)
    socket.onclose = ({ code, reason }) => {
      this.#detach()
      // The next connection uses a new token.
      const isRenewable = this.#lastWord?.code === 'token_expired' && typeof this.#options.token === 'function'
      if (isRenewable) this.#tell({ type: 'closed', code: 1006, reason: 'the token has expired' })
      else
        this.#tell({ type: 'closed', code, reason: code === 1006 ? reason || unsaid : reason, error: this.#lastWord })
    }
  }

  /** Removes the listeners, because an abandoned socket may still emit events. */
  #detach(): Socket | null {
    const socket = this.#socket
    this.#socket = null
    if (socket !== null) {
      socket.onopen = ignore
      socket.onmessage = ignore
      socket.onclose = ignore
    }
    return socket
  }

  #drop(code: number, reason: string): void {
    this.#detach()?.close(code, reason)
  }

  #hello(): void {
    const { token } = this.#options
    if (typeof token !== 'function') {
      this.#sayHello(token)
      return
    }
    const socket = this.#socket
    tokenFrom(token).then(
      (fresh) => {
        if (this.#socket === socket) this.#sayHello(fresh)
      },
      (error: unknown) => {
        if (this.#socket !== socket) return
        this.#drop(1000, '')
        this.#tell({ type: 'closed', code: 1006, reason: `token() failed: ${messageOf(error)}` })
      },
    )
  }

  #sayHello(token: string | undefined): void {
    const { name, labels } = this.#options
    const { session } = this.#chart.context
    this.#write([helloOf({ name, labels, token, owners: this.#owners, session })])
  }

  #write(messages: ClientMessage[]): void {
    if (messages.length === 0) return
    const socket = this.#socket
    if (socket === null) return
    for (const frame of encodeFrames(messages, 'binary', this.#limits)) socket.send(frame)
  }

  #receive(data: string | Uint8Array): void {
    this.#heardAtMs = this.#platform.now()
    this.#lastWord = undefined
    // The broker's limits are not known before its welcome, and other messages may follow it in the same frame.
    const decoded = decodeBrokerFrame(data, this.open ? this.#limits : WIDEST_LIMITS)
    if (!decoded.ok) {
      this.#logger.error({ error: decoded.error }, 'the broker sent a frame that is not of this protocol')
      this.#drop(4000, 'bad_frame')
      this.#tell({ type: 'closed', code: 4000, reason: decoded.error.message })
      return
    }
    for (const message of decoded.messages) this.#dispatch(message)
    // The frame may have brought credit for what waits. Everything else requests its own flush.
    if (this.#waiting > 0) this.requestFlush()
  }

  #dispatch(message: BrokerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.#welcome(message)
        return
      case 'ping':
        this.send({ type: 'pong', ref: message.ref })
        return
      case 'pong':
        return
      case 'drain':
        this.#tell({ type: 'drain', retryAfterMs: message.retryAfterMs })
        for (const owner of [...this.#owners]) owner.onDrain(message.retryAfterMs)
        return
      case 'tokenExpiring':
        this.#renew(message.inMs)
        return
      case 'tokenRenewed':
        return
      case 'error':
        if (message.ref === undefined) this.#lastWord = message
        else if (message.ref === this.#renewal) {
          this.#logger.warn({ error: message }, 'the broker does not take the new token')
          return
        }
    }
    if (this.open) this.#pass(message)
  }

  #pass(message: BrokerMessage): void {
    for (const owner of this.#owners) if (owner.onMessage(message)) return
    // It was sent before the broker learned that the worker has left.
    if (message.type === 'deliver') this.send({ type: 'release', ref: this.nextRef(), leases: message.leases })
    else if (message.type === 'error')
      this.#logger.error({ ref: message.ref, code: message.code }, `message refused: ${message.message}`)
  }

  /** If the renewal fails, the connection ends with the token, and the next one asks for a token again. */
  #renew(inMs: number): void {
    const { token } = this.#options
    if (typeof token !== 'function') {
      this.#logger.warn(
        { inMs },
        'the token expires soon, and the connection with it: pass a function as token to renew it',
      )
      return
    }
    const socket = this.#socket
    tokenFrom(token).then(
      (fresh) => {
        if (this.#socket !== socket) return
        this.#renewal = this.nextRef()
        this.send({ type: 'renew', ref: this.#renewal, token: fresh })
      },
      (error: unknown) =>
        this.#logger.warn({ err: error }, 'token() failed: the connection ends when the token expires'),
    )
  }

  #welcome(welcome: Welcome): void {
    if (this.#state !== 'handshaking') return
    this.#limits = welcome.limits
    this.#heartbeatMs = welcome.heartbeatMs
    this.#begins = welcome.begins === true
    this.#tell({ type: 'welcomed', session: welcome.session })
    this.#beatAtMs = this.#platform.now()
    this.#armBeat()
    this.#armWatch(welcome.heartbeatMs * SILENT_PERIODS)
    this.#drained.clear()
    for (const owner of [...this.#owners]) owner.onWelcome(welcome)
  }

  #armBeat(): void {
    this.#cancelBeat = this.#platform.setTimer(() => {
      const nowMs = this.#platform.now()
      // The process or the machine slept. The socket may be dead, so a quick answer is required.
      if (nowMs - this.#beatAtMs > this.#heartbeatMs * 2) this.#probe()
      this.#beatAtMs = nowMs
      this.#armBeat()
      const before = this.#control.length
      for (const owner of this.#owners) owner.onHeartbeat(this.#control)
      if (this.#control.length === before) this.#control.push({ type: 'ping', ref: this.nextRef() })
      this.flush()
    }, this.#heartbeatMs)
  }

  #armWatch(afterMs: number): void {
    const dueAtMs = this.#platform.now() + afterMs
    this.#cancelWatch = this.#platform.setTimer(() => {
      const nowMs = this.#platform.now()
      const leftMs = this.#heardAtMs + this.#heartbeatMs * SILENT_PERIODS - nowMs
      if (leftMs > 0) this.#armWatch(leftMs)
      // A timer this late means that this side slept, not that the broker was silent. Frames may wait unread.
      else if (nowMs - dueAtMs > this.#heartbeatMs) this.#probe()
      else this.#tell({ type: 'silent' })
    }, afterMs)
  }

  /** Gives the broker one heartbeat period to answer a ping. Otherwise the connection counts as dead. */
  #probe(): void {
    const askedAtMs = this.#platform.now()
    this.#cancelWatch()
    this.send({ type: 'ping', ref: this.nextRef() })
    this.#cancelWatch = this.#platform.setTimer(() => {
      if (this.#heardAtMs >= askedAtMs) this.#armWatch(this.#heartbeatMs * SILENT_PERIODS)
      else this.#tell({ type: 'silent' })
    }, this.#heartbeatMs)
  }
}

/** @throws Error if the URL is not one of a WebSocket */
export function checkUrl(url: string): void {
  if (/^wss?:\/\/\S+$/i.test(url)) return
  throw new Error(`url has to begin with ws:// or wss://, not ${JSON.stringify(url)}`)
}

const ignore = (): void => {}
