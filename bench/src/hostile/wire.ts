import { connect, type Socket } from 'node:net'

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9 } as const

/** A frame of RFC 6455 as a client sends it, with what may be wrong in it. The mask is four zeros, so it changes nothing. */
export function frameOf(
  opcode: number,
  payload: Uint8Array | string,
  { isLast = true, reserved = 0, statedBytes }: { isLast?: boolean; reserved?: number; statedBytes?: number } = {},
): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  const length = statedBytes ?? bytes.length
  const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14)
  head[0] = (isLast ? 0x80 : 0) | reserved | opcode
  head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127)
  if (head.length === 8) head.writeUInt16BE(length, 2)
  if (head.length === 14) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, bytes])
}

export const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Protocol: sluice.v1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

export function helloFrame(token: string): Buffer {
  const hello = { type: 'hello', versions: [1], roles: ['producer', 'worker'], token }
  return frameOf(OPCODE.text, JSON.stringify([hello]))
}

/** A request with a body of JSON. */
export function postOf(path: string, token: string, body: string, ...headers: string[]): string {
  const lines = [`POST ${path} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${token}`, ...headers]
  const stated = headers.length === 0 ? [`Content-Length: ${Buffer.byteLength(body)}`] : []
  return [...lines, 'Content-Type: application/json', ...stated, '', body].join('\r\n')
}

/** Answers that are kept to be looked at; those before them are dropped. */
const TEXTS_MAX = 100

/** A TCP connection that sends bytes as they are, answers no ping, and notes how it is answered and how it ends. */
export class Wire {
  readonly socket: Socket
  /** Of the first answer over HTTP, 101 where it was upgraded. */
  status: number | undefined
  /** Of the frame that closes a WebSocket. */
  closeCode: number | undefined
  /** Text messages of the broker. */
  texts: string[] = []
  /** How long it lasted, in ms. */
  readonly gone: Promise<number>
  #heard: Buffer = Buffer.alloc(0)
  #look: (() => void) | undefined

  constructor(port: number, first: Uint8Array | string = '') {
    const startMs = performance.now()
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('error', () => {})
    this.socket.on('data', (data) => this.#hear(data as Buffer))
    this.socket.on('end', () => this.socket.destroy())
    this.gone = new Promise((resolve) => {
      this.socket.on('close', () => {
        resolve(performance.now() - startMs)
        this.#look?.()
      })
    })
    if (first.length > 0) this.socket.write(first)
  }

  get isOver(): boolean {
    return this.socket.destroyed
  }

  /** How it was answered and ended. */
  get how(): string {
    if (this.closeCode !== undefined) return `closed ${this.closeCode}`
    if (this.status !== undefined && this.status !== 101) return String(this.status)
    return this.isOver ? 'cut' : 'open'
  }

  write(bytes: Uint8Array | string): void {
    if (!this.isOver) this.socket.write(bytes)
  }

  /** Whether `holds` before the connection ends and before `ms` are over. */
  async until(holds: () => boolean, ms: number): Promise<boolean> {
    const deadlineMs = performance.now() + ms
    while (!holds()) {
      const leftMs = deadlineMs - performance.now()
      if (this.isOver || leftMs <= 0) return holds()
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.#look = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return true
  }

  /** Waits until it was answered for good: with a status, or with its end. */
  async ended(ms: number): Promise<string> {
    await this.until(() => this.closeCode !== undefined || (this.status !== undefined && this.status !== 101), ms)
    return this.how
  }

  end(): void {
    this.socket.destroy()
  }

  #hear(data: Buffer): void {
    this.#heard = this.#heard.length === 0 ? data : Buffer.concat([this.#heard, data])
    if (this.status === undefined) {
      const end = this.#heard.indexOf('\r\n\r\n')
      if (end < 0) return
      this.status = Number(this.#heard.toString('latin1', 9, 12))
      this.#heard = this.#heard.subarray(end + 4)
    }
    if (this.status === 101) while (this.#takeFrame());
    else this.#heard = Buffer.alloc(0)
    this.#look?.()
  }

  #takeFrame(): boolean {
    const heard = this.#heard
    if (heard.length < 2) return false
    const short = (heard[1] as number) & 0x7f
    const head = short < 126 ? 2 : short === 126 ? 4 : 10
    if (heard.length < head) return false
    const length = short < 126 ? short : short === 126 ? heard.readUInt16BE(2) : Number(heard.readBigUInt64BE(2))
    if (heard.length < head + length) return false
    const payload = heard.subarray(head, head + length)
    const opcode = (heard[0] as number) & 0x0f
    if (opcode === OPCODE.close) this.closeCode = length >= 2 ? payload.readUInt16BE(0) : 1005
    if (opcode === OPCODE.text) this.texts = [...this.texts.slice(1 - TEXTS_MAX), payload.toString()]
    this.#heard = heard.subarray(head + length)
    return true
  }
}
