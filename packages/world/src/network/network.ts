import type { Socket } from '@sluice/client'
import { DEFAULT_LIMITS, type Limits } from '@sluice/protocol'
import type { Context } from '../context.ts'
import type { Process } from '../nodes/process.ts'
import type { Endpoint } from './endpoint.ts'
import { type Carrier, type Listener, SocketPair } from './socket-pair.ts'

/** What faults have done to a node's link. */
interface Link {
  /** Partitions that affect it. */
  blocks: number
  /** Faults that keep it from reading. */
  stalls: number
  extraDelayMs: number
  /** Connections that it has begun. */
  connections: number
}

/** Changes what a socket is given before it leaves, and what it hears before the program does. */
export interface Tampering {
  outgoing(frame: string | Uint8Array): (string | Uint8Array)[]
  incoming(frame: string | Uint8Array): (string | Uint8Array)[]
  opened(send: (frame: string | Uint8Array) => void): void
}

/** The only way from one node to another: WebSockets between the broker and all other nodes. */
export class Network implements Carrier {
  readonly limits: Limits
  listener: Listener | undefined
  readonly #context: Context
  readonly #links = new Map<string, Link>()
  readonly #connections = new Set<SocketPair>()
  #count = 0

  constructor(context: Context) {
    this.#context = context
    this.limits = context.scenario.hosting?.limits ?? DEFAULT_LIMITS
  }

  /** Connections that at least one end knows. */
  get size(): number {
    return this.#connections.size
  }

  /** A client's socket, as its platform opens it. */
  connect(process: Process, tampering?: Tampering): Socket {
    const link = this.#link(process.node)
    this.#count += 1
    link.connections += 1
    const connection = new SocketPair(
      this.#context,
      this,
      process,
      this.#count,
      `${process.node} connection ${link.connections}`,
    )
    this.#connections.add(connection)
    const end = connection.nodeEnd
    const socket: Socket = {
      send: (data) => {
        for (const frame of tampering ? tampering.outgoing(data) : [data]) end.send(frame)
      },
      close: (code = 1000, reason = '') => end.close(code, reason),
      get bufferedBytes() {
        return end.bufferedBytes
      },
      onopen: () => {},
      onmessage: () => {},
      onclose: () => {},
    }
    end.owner = {
      onOpen: () => {
        tampering?.opened((frame) => end.send(frame))
        socket.onopen()
      },
      onFrame: (frame) => {
        for (const heard of tampering ? tampering.incoming(frame) : [frame]) socket.onmessage(heard)
      },
      onClosed: (code, reason) => socket.onclose({ code, reason }),
      onDrain: () => {},
    }
    return socket
  }

  isBlocked(node: string): boolean {
    return this.#link(node).blocks > 0 || this.#link('broker').blocks > 0
  }

  isStalled(node: string): boolean {
    return this.#link(node).stalls > 0
  }

  extraDelayMs(node: string): number {
    return this.#link(node).extraDelayMs + this.#link('broker').extraDelayMs
  }

  /** Nothing passes between the node and the others. Returns a function that ends it. */
  partition(node: string): () => void {
    return this.#change(node, (link, by) => {
      link.blocks += by
      for (const connection of this.#of(node)) connection.refresh()
    })
  }

  /** The node reads nothing, or one piece of each connection every `everyMs`. Returns a function that ends it. */
  stall(node: string, everyMs?: number): () => void {
    const { clock } = this.#context
    let cancel = (): void => {}
    const sip = (ms: number): void => {
      cancel = clock.setTimer(() => {
        for (const end of this.#endsOf(node)) end.readPiece()
        sip(ms)
      }, ms)
    }
    if (everyMs !== undefined) sip(everyMs)
    const end = this.#change(node, (link, by) => {
      link.stalls += by
      for (const end of this.#endsOf(node)) end.resumeReading()
    })
    return () => {
      cancel()
      end()
    }
  }

  /** Every packet of the node takes longer. Returns a function that ends it. */
  delay(node: string, byMs: number): () => void {
    return this.#change(node, (link, by) => {
      link.extraDelayMs += by * byMs
    })
  }

  /** Whether the node has a connection that at least one end knows. */
  isConnected(node: string): boolean {
    return this.#of(node).length > 0
  }

  /** The node's connections are lost, and both ends are told. */
  reset(node: string): void {
    for (const connection of this.#of(node)) connection.reset()
  }

  /** The node's connections are lost, and only it is told. */
  halfOpen(node: string): void {
    for (const connection of this.#of(node)) connection.silence()
    for (const end of this.#endsOf(node)) end.lose()
  }

  /** @param isSilent whether its machine is gone as well, so that nobody tells the others */
  processEnded(process: Process, isSilent: boolean): void {
    if (this.listener?.process === process) this.listener = undefined
    for (const connection of [...this.#connections]) connection.endOf(process)?.abandon(isSilent)
  }

  forget(connection: SocketPair): void {
    this.#connections.delete(connection)
  }

  #of(node: string): SocketPair[] {
    const all = [...this.#connections]
    return node === 'broker' ? all : all.filter((connection) => connection.node === node)
  }

  /** The node's own ends of its connections. */
  #endsOf(node: string): Endpoint[] {
    return this.#of(node).flatMap(({ nodeEnd, brokerEnd }) => (node === 'broker' ? (brokerEnd ?? []) : nodeEnd))
  }

  #change(node: string, change: (link: Link, by: 1 | -1) => void): () => void {
    const link = this.#link(node)
    change(link, 1)
    return () => change(link, -1)
  }

  #link(node: string): Link {
    let link = this.#links.get(node)
    if (!link) {
      link = { blocks: 0, stalls: 0, extraDelayMs: 0, connections: 0 }
      this.#links.set(node, link)
    }
    return link
  }
}
