import type { Process } from '../nodes/process.ts'
import type { Channel, Packet, Reader } from './channel.ts'

/** How long an end that has sent its close waits for the other's, as WebSocket implementations do. */
const CLOSE_TIMEOUT_MS = 30_000

const utf8 = new TextEncoder()

/** Undecodable frames have an error and no messages. */
export interface FrameContent {
  messages: readonly object[]
  error?: string
}

/** What a program hears of its socket. Each is called in the program's own process. */
export interface EndpointOwner {
  onOpen(): void
  onFrame(frame: string | Uint8Array): void
  /** Called once, and nothing is called after it. */
  onClosed(code: number, reason: string): void
  /** What `send` could not send at once has left. */
  onDrain(): void
}

export interface EndpointOptions {
  process: Process
  outgoing: Channel
  /** Whether a fault keeps this end's program from reading. */
  isStalled: () => boolean
  /** The messages of a frame that is about to be sent. */
  read: (frame: string | Uint8Array) => FrameContent
  /** A frame has been passed to this end. */
  onSent: (content: FrameContent, bytes: number) => void
  onHear: (messages: readonly object[]) => void
  onOpened: () => void
  /** It ended before it was open. */
  onFailed: () => void
  /** This end's program neither hears nor sends anything any more. */
  onEnded: (code: number) => void
  /** This end's kernel knows nothing of the connection any more. */
  onGone: () => void
}

/**
 * One end of a WebSocket. `closing`: this side has sent its close and waits for the other's. `lost`: its kernel knows
 * that the connection is gone, its program does not yet.
 */
export class Endpoint implements Reader {
  state: 'connecting' | 'open' | 'closing' | 'lost' | 'closed' = 'connecting'
  owner: EndpointOwner | undefined
  readonly process: Process
  readonly #options: EndpointOptions
  readonly #outgoing: Channel
  #incoming: Channel | undefined
  #isPaused = false
  #heardAtPing = -1
  #hasEnded = false
  #cancelCloseTimeout: (() => void) | undefined

  constructor(options: EndpointOptions) {
    this.#options = options
    this.process = options.process
    this.#outgoing = options.outgoing
    this.#outgoing.onDrain = () => this.process.enter(() => this.state === 'open' && this.owner?.onDrain())
    this.#outgoing.onGiveUp = () => this.lose()
  }

  /** The channel that this end reads from. */
  attach(incoming: Channel): void {
    this.#incoming = incoming
  }

  get isReading(): boolean {
    return !this.#isPaused && !this.#options.isStalled()
  }

  get isGone(): boolean {
    return this.state === 'closed' || this.state === 'lost'
  }

  /** Bytes given to `send` that have not left the program. */
  get bufferedBytes(): number {
    return this.#outgoing.bufferedBytes
  }

  enter(fn: () => void): void {
    this.process.enter(fn)
  }

  /** @throws Error before the connection is open, as WebSockets do; after its end it does nothing */
  send(frame: string | Uint8Array): void {
    if (!this.process.isAlive) return
    if (this.state === 'connecting') throw new Error('the socket is not open yet')
    if (this.state !== 'open') return
    const content = this.#options.read(frame)
    // The sender may reuse its buffer.
    const sent = typeof frame === 'string' ? frame : frame.slice()
    const bytes = typeof frame === 'string' ? utf8.encode(frame).length : frame.length
    this.#outgoing.send({ type: 'frame', frame: sent, messages: content.messages }, bytes)
    this.#options.onSent(content, bytes)
  }

  /** Pings the other end. Returns false if nothing has arrived since the last ping although the program reads. */
  ping(): boolean {
    const bytesRead = this.#incoming?.bytesRead ?? 0
    if (bytesRead === this.#heardAtPing && !this.#isPaused) return false
    this.#heardAtPing = bytesRead
    this.#outgoing.send({ type: 'ping' })
    return true
  }

  close(code: number, reason: string): void {
    if (!this.process.isAlive) return
    if (this.state === 'connecting') this.terminate()
    if (this.state !== 'open') return
    this.state = 'closing'
    this.#sayEnded(code)
    this.#outgoing.send({ type: 'close', code, reason }, reason.length)
    this.#cancelCloseTimeout = this.process.setTimer(() => this.terminate(), CLOSE_TIMEOUT_MS)
  }

  terminate(): void {
    if (this.isGone || !this.process.isAlive) return
    const { owner } = this
    this.#finish(1006)
    this.#outgoing.sendEnd()
    this.process.setTimer(() => owner?.onClosed(1006, ''), 0)
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.resumeReading()
  }

  resumeReading(): void {
    if (this.isReading) this.#incoming?.resumeReading()
  }

  /** Reads one piece of what has arrived, although a fault keeps this end from reading. */
  readPiece(): void {
    if (!this.#isPaused) this.#incoming?.readPiece()
  }

  receive(packet: Packet): void {
    if (this.isGone) {
      // An end that has forgotten the connection tells any sender so.
      if (packet.type !== 'gone') this.#outgoing.sendEnd()
      return
    }
    switch (packet.type) {
      case 'open':
        if (this.state !== 'connecting') return
        this.state = 'open'
        this.#options.onOpened()
        this.owner?.onOpen()
        return
      case 'frame':
        if (this.state !== 'open') return
        this.#options.onHear(packet.messages)
        this.owner?.onFrame(packet.frame)
        return
      case 'ping':
        this.#outgoing.send({ type: 'pong' })
        return
      case 'pong':
        return
      case 'close':
        if (this.state === 'open') this.#outgoing.send(packet)
        this.#close(packet.code, packet.reason)
        return
      case 'gone':
        this.#close(1006, '')
    }
  }

  /** The kernel has lost the connection. The program hears of it when it is ready. */
  lose(): void {
    if (this.isGone) return
    const before = this.state
    this.state = 'lost'
    this.#outgoing.drop()
    this.#options.onGone()
    this.process.enter(() => {
      if (this.state !== 'lost') return
      this.state = before
      this.#close(1006, '')
    })
  }

  /**
   * Its process has ended. The kernel tells the other end, unless the machine is gone as well, with all that has not
   * arrived.
   */
  abandon(isSilent: boolean): void {
    if (this.state === 'closed') return
    this.#finish(1006)
    if (isSilent) this.#outgoing.drop()
    else this.#outgoing.sendEnd()
  }

  #close(code: number, reason: string): void {
    if (this.state === 'closed') return
    this.#finish(code)
    this.owner?.onClosed(code, reason)
  }

  #finish(code: number): void {
    if (this.state === 'connecting') this.#options.onFailed()
    else this.#sayEnded(code)
    this.state = 'closed'
    this.#cancelCloseTimeout?.()
    this.#options.onGone()
  }

  #sayEnded(code: number): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#options.onEnded(code)
  }
}
