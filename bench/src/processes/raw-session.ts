import {
  type BrokerMessage,
  type ClientMessage,
  DEFAULT_LIMITS,
  decodeBrokerFrame,
  encodeFrames,
  type Hello,
  type Limits,
  type Role,
  SUBPROTOCOL,
  VERSIONS,
  type Welcome,
} from '@sluice/protocol'
import { WebSocket } from 'ws'

/**
 * A session on the bare protocol. A backlog of a million tasks would cost our client a million handles, and ten thousand
 * connections ten thousand clients: here a task is a number in a counter, so that the broker is what gets measured.
 */
export class RawSession {
  /** For every message but `ping`; a whole frame at a time. */
  onMessages: (messages: BrokerMessage[]) => void = () => {}
  onClosed: (code: number) => void = (code) => {
    throw new Error(`the broker closed a session with code ${code}`)
  }
  readonly welcome: Welcome
  readonly #socket: WebSocket
  #limits: Limits

  private constructor(socket: WebSocket, welcome: Welcome) {
    this.#socket = socket
    this.welcome = welcome
    this.#limits = welcome.limits
    socket.on('message', (data: Buffer) => this.#receive(data))
    socket.on('close', (code) => this.onClosed(code))
  }

  /** `token`: for a broker with access control. */
  static async open(url: string, roles: Role[], token?: string): Promise<RawSession> {
    const socket = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false })
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    const answered = new Promise<Buffer>((resolve) => socket.once('message', resolve))
    const hello: Hello = { type: 'hello', versions: [...VERSIONS], roles }
    if (token !== undefined) hello.token = token
    for (const frame of encodeFrames([hello], 'binary', DEFAULT_LIMITS)) socket.send(frame)
    const welcome = decode(await answered, DEFAULT_LIMITS)[0]
    if (welcome?.type !== 'welcome') throw new Error(`expected welcome, got ${JSON.stringify(welcome)}`)
    return new RawSession(socket, welcome)
  }

  close(): void {
    this.onClosed = () => {}
    this.#socket.close()
  }

  send(messages: ClientMessage[]): void {
    for (const frame of encodeFrames(messages, 'binary', this.#limits)) this.#socket.send(frame)
  }

  #receive(data: Buffer): void {
    const messages = decode(data, this.#limits)
    for (const message of messages) {
      if (message.type === 'ping') this.send([{ type: 'pong', ref: message.ref }])
      if (message.type === 'error') throw new Error(`the broker refused: ${message.code} ${message.message}`)
    }
    this.onMessages(messages)
  }
}

function decode(data: Buffer, limits: Limits): BrokerMessage[] {
  const decoded = decodeBrokerFrame(data, limits)
  if (!decoded.ok) throw new Error(`the broker sent what is no frame: ${decoded.error.message}`)
  return decoded.messages
}
