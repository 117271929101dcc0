import type { VirtualClock } from '@sluice/testing'
import { grained } from '../context.ts'
import { type Distribution, draw } from '../distribution.ts'
import type { RandomStream } from '../random.ts'

/** What one end sends to the other. `gone`: the other end's kernel has lost the connection. */
export type Packet =
  | { type: 'open' }
  | { type: 'frame'; frame: string | Uint8Array; messages: readonly object[] }
  | { type: 'ping' }
  | { type: 'pong' }
  | { type: 'close'; code: number; reason: string }
  | { type: 'gone' }

export interface ChannelOptions {
  clock: VirtualClock
  random: RandomStream
  /** It may change. */
  delayMs: () => Distribution
  /** Undefined: without limit. */
  bytesPerSecond: number | undefined
  windowBytes: number
  giveUpAfterMs: number
}

/** The program at the receiving end. */
export interface Reader {
  readonly isReading: boolean
  enter(fn: () => void): void
  receive(packet: Packet): void
}

interface Sending {
  packet: Packet
  /** Bytes that have not left the sender's program. */
  left: number
  delayMs: number
}

interface Segment {
  bytes: number
  /** Set with the last segment of a packet. */
  packet: Packet | undefined
  delayMs: number
  /** Unless something before it takes longer. */
  arrivesAtMs: number
}

/** The approximate bytes of a packet besides its frame. */
const HEADER_BYTES = 4
/** How much passes a slow line at once: the bytes of a large packet arrive little by little. */
const SEGMENT_BYTES = 16 * 1024

/**
 * One direction of a connection, as TCP carries it: in order, whatever each packet's own delay. At most `windowBytes`
 * are between the two programs; anything beyond that waits in the sender's program.
 */
export class Channel {
  readonly #options: ChannelOptions
  readonly #reader: Reader
  readonly #sending: Sending[] = []
  readonly #wire: Segment[] = []
  readonly #arrived: Segment[] = []
  #bufferedBytes = 0
  #windowUsed = 0
  #isBacklogged = false
  #lineFreeAtMs = 0
  #readsAhead = 0
  #bytesRead = 0
  #cancelArrival: (() => void) | undefined
  #cancelGiveUp: (() => void) | undefined
  #isBlocked = false
  #isEnded = false
  /** Added to the delay of each packet sent from now on. */
  extraDelayMs: () => number = () => 0
  /** What was beyond the window has left the program. */
  onDrain: () => void = () => {}
  /** The sender's kernel could not deliver anything for too long. */
  onGiveUp: () => void = () => {}

  constructor(options: ChannelOptions, reader: Reader) {
    this.#options = options
    this.#reader = reader
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** The bytes that the reader has read in total. */
  get bytesRead(): number {
    return this.#bytesRead
  }

  /** Whether anything is on its way, as the sender's kernel knows it. */
  get isUnacknowledged(): boolean {
    return this.#sending.length > 0 || this.#wire.length > 0
  }

  send(packet: Packet, bytes = 0): void {
    if (this.#isEnded) return
    const { delayMs, random } = this.#options
    this.#sending.push({
      packet,
      left: bytes + HEADER_BYTES,
      delayMs: grained(draw(delayMs(), random)) + this.extraDelayMs(),
    })
    this.#bufferedBytes += bytes + HEADER_BYTES
    this.#transmit()
    if (this.#bufferedBytes > 0) this.#isBacklogged = true
    if (this.#isBlocked) this.#armGiveUp()
  }

  /** The sender's program has ended. What its kernel has still leaves, and then the news of the end. */
  sendEnd(): void {
    this.#sending.length = 0
    this.#bufferedBytes = 0
    this.#isBacklogged = false
    this.send({ type: 'gone' })
  }

  /** Nothing arrives any more; what is on its way waits. */
  block(): void {
    if (this.#isBlocked) return
    this.#isBlocked = true
    this.#cancelArrival?.()
    this.#cancelArrival = undefined
    if (this.isUnacknowledged) this.#armGiveUp()
  }

  /** What waited is sent again. */
  unblock(): void {
    if (!this.#isBlocked) return
    this.#isBlocked = false
    this.#cancelGiveUp?.()
    this.#cancelGiveUp = undefined
    const { nowMs } = this.#options.clock
    for (const segment of this.#wire) {
      if (segment.arrivesAtMs <= nowMs) segment.arrivesAtMs = nowMs + segment.delayMs
    }
    this.#armArrival()
  }

  /** The reader reads again. */
  resumeReading(): void {
    for (let i = this.#arrived.length - this.#readsAhead; i > 0; i -= 1) this.#scheduleRead()
  }

  /** One piece is read, whether or not the program reads. */
  readPiece(): void {
    if (this.#arrived.length > this.#readsAhead) this.#read(true)
  }

  /** The sender's kernel forgets what has not arrived. */
  drop(): void {
    this.#cancelArrival?.()
    this.#cancelArrival = undefined
    this.#cancelGiveUp?.()
    this.#cancelGiveUp = undefined
    this.#wire.length = 0
    this.#sending.length = 0
    this.#bufferedBytes = 0
    this.#isBacklogged = false
  }

  /** Nothing is carried any more. */
  end(): void {
    this.#isEnded = true
    this.drop()
    this.#arrived.length = 0
  }

  /** Moves as much into the kernels' buffers as there is room for. */
  #transmit(): void {
    const { clock, bytesPerSecond, windowBytes } = this.#options
    while (this.#windowUsed < windowBytes) {
      const first = this.#sending[0]
      if (first === undefined) break
      const room = windowBytes - this.#windowUsed
      const bytes = Math.min(first.left, room, bytesPerSecond === undefined ? room : SEGMENT_BYTES)
      first.left -= bytes
      this.#bufferedBytes -= bytes
      this.#windowUsed += bytes
      const onLineMs = bytesPerSecond === undefined ? 0 : grained((bytes / bytesPerSecond) * 1000)
      this.#lineFreeAtMs = Math.max(clock.nowMs, this.#lineFreeAtMs) + onLineMs
      const isWhole = first.left === 0
      if (isWhole) this.#sending.shift()
      this.#wire.push({
        bytes,
        packet: isWhole ? first.packet : undefined,
        delayMs: first.delayMs,
        arrivesAtMs: this.#lineFreeAtMs + first.delayMs,
      })
    }
    this.#armArrival()
  }

  #armArrival(): void {
    const [first] = this.#wire
    if (first === undefined || this.#isBlocked || this.#cancelArrival !== undefined) return
    const { clock } = this.#options
    this.#cancelArrival = clock.setTimer(() => {
      this.#cancelArrival = undefined
      this.#wire.shift()
      this.#arrived.push(first)
      this.#armArrival()
      if (this.#reader.isReading) this.#read()
    }, first.arrivesAtMs - clock.nowMs)
  }

  #scheduleRead(): void {
    this.#readsAhead += 1
    this.#options.clock.setTimer(() => {
      this.#readsAhead -= 1
      if (this.#reader.isReading) this.#read()
    }, 0)
  }

  /** Passes one segment to the program when it is ready. Until then the segment takes room. */
  #read(isForced = false): void {
    this.#readsAhead += 1
    this.#reader.enter(() => {
      this.#readsAhead -= 1
      if (!this.#reader.isReading && !isForced) return
      const segment = this.#arrived.shift()
      if (segment === undefined) return
      this.#windowUsed -= segment.bytes
      this.#bytesRead += segment.bytes
      this.#transmit()
      if (this.#isBacklogged && this.#bufferedBytes === 0) {
        this.#isBacklogged = false
        this.onDrain()
      }
      if (segment.packet !== undefined) this.#reader.receive(segment.packet)
    })
  }

  #armGiveUp(): void {
    const { clock, giveUpAfterMs } = this.#options
    this.#cancelGiveUp ??= clock.setTimer(() => this.onGiveUp(), giveUpAfterMs)
  }
}
