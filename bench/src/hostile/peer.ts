import { once } from 'node:events'
import {
  type BrokerMessage,
  type ClientMessage,
  DEFAULT_LIMITS,
  decodeBrokerFrame,
  encodeFrames,
  type Hello,
  type Welcome,
} from '@sluice/protocol'
import { WebSocket } from 'ws'

/** How long an answer may take before it counts as none, in ms. */
const ANSWER_MS = 60_000

/** One end of a connection that says what it likes. */
export class Peer {
  readonly socket: WebSocket
  welcome: Welcome | undefined
  /** How the connection ended. */
  closeCode: number | undefined
  readonly #heard: BrokerMessage[] = []
  #look: (() => void) | undefined

  private constructor(url: string) {
    this.socket = new WebSocket(url, 'sluice.v1', { perMessageDeflate: false })
    this.socket.on('error', () => {})
    this.socket.on('message', (data, isBinary) => {
      const bytes = data as Buffer
      const decoded = decodeBrokerFrame(isBinary ? new Uint8Array(bytes) : bytes.toString(), DEFAULT_LIMITS)
      if (decoded.ok) this.#heard.push(...decoded.messages)
      this.#look?.()
    })
    this.socket.on('close', (code) => {
      this.closeCode = code
      this.#look?.()
    })
  }

  /** Undefined where it was not let in. */
  static async welcomed(url: string, token: string, more: Partial<Hello> = {}): Promise<Peer | undefined> {
    const peer = new Peer(url)
    try {
      await once(peer.socket, 'open')
    } catch {
      return undefined
    }
    peer.say({ type: 'hello', versions: [1], roles: ['producer', 'worker'], token, ...more })
    const heard = await peer.until(({ type }) => type === 'welcome')
    peer.welcome = heard?.type === 'welcome' ? heard : undefined
    if (heard === undefined) peer.socket.terminate()
    return heard && peer
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN
  }

  say(...messages: ClientMessage[]): void {
    for (const frame of encodeFrames(messages, 'binary', DEFAULT_LIMITS)) this.socket.send(frame)
  }

  /** The first message that is wanted; those before it are passed over. Undefined where the connection ends, or nothing comes. */
  async until(wanted: (message: BrokerMessage) => boolean): Promise<BrokerMessage | undefined> {
    const deadline = Date.now() + ANSWER_MS
    for (;;) {
      while (this.#heard.length > 0) {
        const message = this.#heard.shift() as BrokerMessage
        if (wanted(message)) return message
      }
      if (!this.isOpen || Date.now() >= deadline) return undefined
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now())
        this.#look = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** Says messages and returns all that is heard until they are answered. */
  async asked(ref: number, ...messages: ClientMessage[]): Promise<BrokerMessage[]> {
    const heard: BrokerMessage[] = []
    this.say(...messages, { type: 'query', ref, ids: [] })
    await this.until((message) => {
      heard.push(message)
      return message.type === 'status' && message.ref === ref
    })
    return heard
  }
}
