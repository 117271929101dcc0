import { once } from 'node:events'
import {
  type BrokerMessage,
  type ClientMessage,
  DEFAULT_LIMITS,
  decodeBrokerFrame,
  encodeFrames,
  type Hello,
  SUBPROTOCOL,
} from '@sluice/protocol'
import { WebSocket } from 'ws'

/** A real socket that speaks the protocol by hand. */
export class SocketPeer {
  readonly socket: WebSocket
  readonly heard: BrokerMessage[] = []
  readonly closed: Promise<number>
  #waiting: (() => void)[] = []
  #ref = 0

  constructor(url: string) {
    this.socket = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false })
    this.socket.on('error', () => {})
    this.closed = once(this.socket, 'close').then(([code]) => code as number)
    this.socket.on('message', (data, isBinary) => {
      const bytes = data as Buffer
      const decoded = decodeBrokerFrame(isBinary ? new Uint8Array(bytes) : bytes.toString(), DEFAULT_LIMITS)
      if (!decoded.ok) throw new Error(decoded.error.message)
      this.heard.push(...decoded.messages)
      for (const look of this.#waiting.splice(0)) look()
    })
  }

  /** Open, and its hello said. */
  static async greeting(url: string, hello: Partial<Hello> = {}): Promise<SocketPeer> {
    const peer = new SocketPeer(url)
    await once(peer.socket, 'open')
    peer.say({ type: 'hello', versions: [1], roles: ['producer', 'worker'], ...hello })
    return peer
  }

  static async welcomed(url: string, hello: Partial<Hello> = {}): Promise<SocketPeer> {
    const peer = await SocketPeer.greeting(url, hello)
    await peer.until('welcome')
    return peer
  }

  /** What is heard until everything that was said has been answered: a question about no task waits for all before it. */
  async answers(...messages: ClientMessage[]): Promise<BrokerMessage[]> {
    const before = this.heard.length
    this.#ref += 1
    const ref = 1_000_000 + this.#ref
    this.say(...messages, { type: 'query', ref, ids: [] })
    await this.until('status', (status) => status.ref === ref)
    return this.heard.slice(before).filter((message) => !(message.type === 'status' && message.ref === ref))
  }

  say(...messages: ClientMessage[]): void {
    for (const frame of encodeFrames(messages, 'binary', DEFAULT_LIMITS)) this.socket.send(frame)
  }

  /** The first message of this type that `wanted` takes. */
  async until<T extends BrokerMessage['type']>(
    type: T,
    wanted: (message: Extract<BrokerMessage, { type: T }>) => boolean = () => true,
  ): Promise<Extract<BrokerMessage, { type: T }>> {
    for (;;) {
      const found = this.heard.find(
        (message): message is Extract<BrokerMessage, { type: T }> =>
          message.type === type && wanted(message as Extract<BrokerMessage, { type: T }>),
      )
      if (found) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }
}

/** What the server answers to an upgrade: its status, 101 where it took it. */
export function upgradeStatus(url: string, protocols: string[], headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(url, protocols, { headers, perMessageDeflate: false })
  return new Promise((resolve, reject) => {
    socket.on('open', () => {
      socket.terminate()
      resolve(101)
    })
    socket.on('unexpected-response', (request, response) => {
      request.destroy()
      resolve(response.statusCode ?? 0)
    })
    socket.on('error', reject)
  })
}
