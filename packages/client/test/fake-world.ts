import {
  Bodies,
  type BrokerMessage,
  type ClientMessage,
  DEFAULT_LIMITS,
  decodeClientFrame,
  encodeFrames,
  type Limits,
  type Welcome,
} from '@sluice/protocol'
import type { Platform, Socket } from '../src/index.ts'

interface Timer {
  dueMs: number
  order: number
  fn: () => void
}

/** A clock that stands still until told, and then goes from one deadline to the next in their order. */
export class ManualClock {
  nowMs = 1000
  #timers = new Set<Timer>()
  #order = 0

  get pending(): number {
    return this.#timers.size
  }

  setTimer(fn: () => void, ms: number): () => void {
    const timer = { dueMs: this.nowMs + ms, order: this.#order++, fn }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** The next timer due by `untilMs`, with the clock moved to it. */
  next(untilMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue
      if (!first || timer.dueMs < first.dueMs || (timer.dueMs === first.dueMs && timer.order < first.order))
        first = timer
    }
    if (first === undefined) return undefined
    this.#timers.delete(first)
    this.nowMs = Math.max(this.nowMs, first.dueMs)
    return first
  }
}

/** The broker's end of one connection. Nothing travels in either direction until the world runs. */
export class FakeConnection {
  readonly received: ClientMessage[] = []
  /** How many frames the messages came in. */
  frames = 0
  closedBy: { code: number; reason: string } | undefined
  /** A dead line: what is sent is lost and nobody is told. */
  dead = false
  readonly socket: { -readonly [Key in keyof Socket]: Socket[Key] }
  #toBroker: (string | Uint8Array)[] = []
  #toClient: (() => void)[] = []
  #limits: Limits

  constructor(limits: Limits, bufferedBytes: number) {
    this.#limits = limits
    this.socket = {
      bufferedBytes,
      send: (data) => this.#toBroker.push(data),
      close: (code = 1005, reason = '') => {
        this.closedBy ??= { code, reason }
      },
      onopen: () => {},
      onmessage: () => {},
      onclose: () => {},
    }
  }

  open(): void {
    this.#toClient.push(() => this.socket.onopen())
  }

  say(...messages: BrokerMessage[]): void {
    for (const frame of encodeFrames(messages, 'binary', this.#limits)) this.sayRaw(frame)
  }

  sayRaw(frame: string | Uint8Array): void {
    if (!this.dead) this.#toClient.push(() => this.socket.onmessage(frame))
  }

  close(code: number, reason = ''): void {
    this.#toClient.push(() => this.socket.onclose({ code, reason }))
  }

  of<T extends ClientMessage['type']>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.received.filter((message) => message.type === type) as Extract<ClientMessage, { type: T }>[]
  }

  last<T extends ClientMessage['type']>(type: T): Extract<ClientMessage, { type: T }> {
    const found = this.of(type).at(-1)
    if (found === undefined) throw new Error(`no ${type} among ${this.received.map((m) => m.type).join(', ')}`)
    return found
  }

  /** @returns whether anything travelled */
  carry(): boolean {
    const deliveries = this.#toClient.splice(0)
    const isAny = this.carryToBroker()
    for (const deliver of deliveries) deliver()
    return isAny || deliveries.length > 0
  }

  /** What the client has sent arrives. */
  carryToBroker(): boolean {
    const frames = this.#toBroker.splice(0)
    for (const frame of frames) {
      if (this.dead) continue
      const decoded = decodeClientFrame(frame, this.#limits)
      if (!decoded.ok) throw new Error(`the client sent a bad frame: ${decoded.error.message} (${decoded.error.field})`)
      this.frames += 1
      this.received.push(...decoded.messages)
    }
    return frames.length > 0
  }
}

/** A world in memory: connections, a clock, and chance, all of which move only when told. */
export class FakeWorld {
  readonly clock = new ManualClock()
  readonly connections: FakeConnection[] = []
  readonly limits: Limits
  /** What `random` draws. */
  draw = 0.5
  /** What a new connection's socket has not sent, and never will until the test says so. */
  bufferedBytes = 0
  #seed = 1
  readonly platform: Platform

  constructor(limits: Partial<Limits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits }
    this.platform = {
      now: () => this.clock.nowMs,
      setTimer: (fn, ms) => this.clock.setTimer(fn, ms),
      random: () => this.draw,
      randomBytes: (count) => {
        const bytes = new Uint8Array(count)
        for (let i = 0; i < count; i++) {
          this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0
          bytes[i] = this.#seed >>> 24
        }
        return bytes
      },
      epochMs: () => 1_790_000_000_000 + this.clock.nowMs,
      connect: () => {
        const connection = new FakeConnection(this.limits, this.bufferedBytes)
        this.connections.push(connection)
        return connection.socket
      },
    }
  }

  get connection(): FakeConnection {
    const connection = this.connections.at(-1)
    if (connection === undefined) throw new Error('nobody has connected')
    return connection
  }

  /** Carries messages to and fro, without the clock moving, until nothing happens any more. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 2; quiet++) {
      for (let turn = 0; turn < 40; turn++) await Promise.resolve()
      for (const connection of this.connections) if (connection.carry()) quiet = -1
    }
  }

  /** Lets time pass, one deadline at a time. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.nowMs + ms
    await this.settle()
    for (let timer = this.clock.next(untilMs); timer !== undefined; timer = this.clock.next(untilMs)) {
      timer.fn()
      await this.settle()
    }
    this.clock.nowMs = untilMs
  }

  /** The newest connection opens and is welcomed. */
  async welcome(over: Partial<Welcome> = {}): Promise<FakeConnection> {
    const { connection } = this
    connection.open()
    await this.settle()
    connection.say(this.welcomeMessage(over))
    await this.settle()
    return connection
  }

  welcomeMessage(over: Partial<Welcome> = {}): Welcome {
    return {
      type: 'welcome',
      version: 1,
      session: 's1',
      resumed: false,
      lostLeases: [],
      submitCredit: 1000,
      heartbeatMs: 10_000,
      graceMs: 30_000,
      durability: 'strict',
      limits: this.limits,
      ...over,
    }
  }
}

/** Bodies with these JSON values. */
export const bodiesOf = (...values: unknown[]): Bodies => Bodies.ofTexts(values.map((value) => JSON.stringify(value)))

/** The JSON values of a message's bodies. */
export const valuesOf = ({ bodies }: { bodies: Bodies }): unknown[] =>
  bodies.lengths.map((_, index) => bodies.json(index))

export const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
