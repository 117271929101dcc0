import {
  type BrokerMessage,
  type ClientMessage,
  type Decoded,
  decodeBrokerFrame,
  decodeClientFrame,
  type Limits,
} from '@sluice/protocol'
import type { Context } from '../context.ts'
import type { Process } from '../nodes/process.ts'
import { Channel, type ChannelOptions, type Packet } from './channel.ts'
import { Endpoint, type FrameContent } from './endpoint.ts'

export interface Listener {
  process: Process
  accept(end: Endpoint): void
}

/** What a connection needs of its network. */
export interface Carrier {
  readonly limits: Limits
  readonly listener: Listener | undefined
  isBlocked(node: string): boolean
  isStalled(node: string): boolean
  extraDelayMs(node: string): number
  /** No end knows of the connection any more. */
  forget(connection: SocketPair): void
}

/** One WebSocket between a node and the broker, from the first packet of its opening to the last of its end. */
export class SocketPair {
  readonly number: number
  readonly node: string
  readonly nodeEnd: Endpoint
  brokerEnd: Endpoint | undefined
  readonly #context: Context
  readonly #network: Carrier
  readonly #toBroker: Channel
  readonly #toNode: Channel
  /** Nothing is heard from the node, or from the broker, for ever. */
  #isSilenced = false

  constructor(context: Context, network: Carrier, process: Process, number: number, name: string) {
    this.number = number
    this.node = process.node
    this.#context = context
    this.#network = network
    const channel = (direction: string, reader: ConstructorParameters<typeof Channel>[1]): Channel => {
      const channel = new Channel(this.#channelOptions(`${name} ${direction}`), reader)
      channel.extraDelayMs = () => network.extraDelayMs(this.node)
      return channel
    }
    const listener = {
      // The kernel itself answers if no program listens, or if the program has ended.
      get isReading() {
        return connection.#program?.isReading ?? true
      },
      enter: (fn: () => void) => (connection.#program ? connection.#program.enter(fn) : fn()),
      receive: (packet: Packet) => this.#receiveAtBroker(packet),
    }
    const connection = this
    this.#toBroker = channel('to the broker', listener)
    const nodeEnd = new Endpoint({
      process,
      outgoing: this.#toBroker,
      isStalled: () => network.isStalled(this.node),
      read: (frame) => this.#read(frame, decodeClientFrame),
      onSent: (content, bytes) => this.#sentBy('node', content, bytes),
      onHear: (messages) => {
        for (const message of messages as readonly BrokerMessage[])
          process.observe({ type: 'heardByNode', node: this.node, connection: number, message })
      },
      onOpened: () => process.observe({ type: 'connected', node: this.node, connection: number }),
      onFailed: () => process.observe({ type: 'connectFailed', node: this.node, connection: number }),
      onEnded: (code) => this.#ended('node', code),
      onGone: () => this.#gone(),
    })
    this.nodeEnd = nodeEnd
    this.#toNode = channel('to the node', nodeEnd)
    nodeEnd.attach(this.#toNode)
    process.observe({ type: 'connecting', node: this.node, connection: number })
    this.#toBroker.send({ type: 'open' })
    this.refresh()
  }

  /** Passes on or holds back what is on its way, according to the faults of both nodes. */
  refresh(): void {
    const isBlocked = this.#isSilenced || this.#network.isBlocked(this.node)
    for (const channel of [this.#toBroker, this.#toNode]) {
      if (isBlocked) channel.block()
      else channel.unblock()
    }
  }

  /** Nothing passes any more, and no end is told. */
  silence(): void {
    this.#isSilenced = true
    this.refresh()
  }

  /** Both ends are told that the connection is lost. */
  reset(): void {
    this.nodeEnd.lose()
    this.brokerEnd?.lose()
  }

  endOf(process: Process): Endpoint | undefined {
    if (this.nodeEnd.process === process) return this.nodeEnd
    return this.brokerEnd?.process === process ? this.brokerEnd : undefined
  }

  /** The broker's end, if its program runs. */
  get #program(): Endpoint | undefined {
    return this.brokerEnd?.process.isAlive ? this.brokerEnd : undefined
  }

  #channelOptions(name: string): ChannelOptions {
    const { clock, random, scenario } = this.#context
    const { network } = scenario
    return {
      clock,
      random: random.once(`network ${name}`),
      delayMs: () => network.delayMs,
      bytesPerSecond: network.bytesPerSecond,
      windowBytes: network.windowBytes ?? 256 * 1024,
      giveUpAfterMs: network.giveUpAfterMs ?? 30_000,
    }
  }

  /** The broker's kernel accepts the connection by itself. Its program hears of it when it is ready. */
  #receiveAtBroker(packet: Packet): void {
    if (this.brokerEnd) {
      this.brokerEnd.receive(packet)
      return
    }
    if (packet.type !== 'open') return
    const listener = this.#network.listener
    if (!listener) {
      this.#toNode.sendEnd()
      return
    }
    const { process } = listener
    const brokerEnd = new Endpoint({
      process,
      outgoing: this.#toNode,
      isStalled: () => this.#network.isStalled('broker'),
      read: (frame) => this.#read(frame, decodeBrokerFrame),
      onSent: (content, bytes) => this.#sentBy('broker', content, bytes),
      onHear: (messages) => {
        for (const message of messages as readonly ClientMessage[])
          process.observe({ type: 'heardByBroker', node: this.node, connection: this.number, message })
      },
      onOpened: () => {},
      onFailed: () => {},
      onEnded: (code) => this.#ended('broker', code),
      onGone: () => this.#gone(),
    })
    brokerEnd.attach(this.#toBroker)
    this.brokerEnd = brokerEnd
    process.enter(() => {
      if (brokerEnd.state !== 'connecting') return
      brokerEnd.state = 'open'
      this.#toNode.send({ type: 'open' })
      listener.accept(brokerEnd)
    })
  }

  /** Frames are decoded once more for observers, and only if there are any. */
  #read(
    frame: string | Uint8Array,
    decode: (frame: string | Uint8Array, limits: Limits) => Decoded<ClientMessage | BrokerMessage>,
  ): FrameContent {
    if (!this.#context.isWireWatched) return { messages: [] }
    const decoded = decode(frame, this.#network.limits)
    return decoded.ok ? { messages: decoded.messages } : { messages: [], error: decoded.error.message }
  }

  #sentBy(by: 'node' | 'broker', { messages, error }: FrameContent, bytes: number): void {
    const { observe, isWireWatched } = this.#context
    if (!isWireWatched) return
    const { node, number: connection } = this
    const buffered = (by === 'node' ? this.#toBroker : this.#toNode).bufferedBytes
    observe({ type: 'frame', node, connection, by, bytes, messages: messages.length, buffered })
    if (error !== undefined) observe({ type: 'unreadable', node, connection, by, error })
    if (by === 'node') {
      for (const message of messages as readonly ClientMessage[])
        observe({ type: 'sentToBroker', node, connection, message })
    } else {
      for (const message of messages as readonly BrokerMessage[])
        observe({ type: 'sentByBroker', node, connection, message })
    }
  }

  #ended(side: 'node' | 'broker', code: number): void {
    this.#context.observe({ type: 'disconnected', node: this.node, connection: this.number, side, code })
  }

  #gone(): void {
    if (!this.nodeEnd.isGone || this.brokerEnd?.isGone === false) return
    this.#toBroker.end()
    this.#toNode.end()
    this.#network.forget(this)
  }
}
