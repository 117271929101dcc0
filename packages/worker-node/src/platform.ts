import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { defaultPlatform, type Platform, type Socket } from '@sluice/client'
import { type ClientOptions, type RawData, WebSocket } from 'ws'

/** The largest frame that any broker may state in its limits; they are known only after the connection is made. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024
/** A connection attempt that has not become a WebSocket after this long has failed. */
const HANDSHAKE_TIMEOUT_MS = 10_000

/** How long a peer that says nothing may take to answer a close; a process that has nothing else to do waits for it. */
const CLOSE_TIMEOUT_MS = 5_000

/** What can be set of Node's socket. */
export interface NodePlatformOptions {
  /** Bytes of the largest frame taken from the broker; a larger one closes the connection with 1009. Default 64 MiB. */
  frameBytesMax?: number
  /** Ms until an unfinished handshake counts as a failed connection. Default 10,000. */
  handshakeTimeoutMs?: number
}

/** The platform of Node: the `ws` socket, which compresses nothing and hands bytes on without copying them. */
export function createNodePlatform(options: NodePlatformOptions = {}): Platform {
  const maxPayload = options.frameBytesMax ?? FRAME_BYTES_MAX
  const handshakeTimeout = options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS
  return {
    ...defaultPlatform,
    now: () => performance.now(),
    randomBytes: (count) => randomBytes(count),
    connect: (url, { protocol }) => connect(url, protocol, maxPayload, handshakeTimeout),
  }
}

export const nodePlatform: Platform = createNodePlatform()

function connect(url: string, protocol: string, maxPayload: number, handshakeTimeout: number): Socket {
  // Its published types do not know `closeTimeout` yet.
  const options: ClientOptions & { closeTimeout: number } = {
    perMessageDeflate: false,
    maxPayload,
    handshakeTimeout,
    closeTimeout: CLOSE_TIMEOUT_MS,
  }
  const webSocket = new WebSocket(url, protocol, options)
  let closed = false
  const socket: Socket = {
    send: (data) => webSocket.send(data),
    close: (code = 1000, reason = '') => webSocket.close(code, reason),
    get bufferedBytes() {
      return webSocket.bufferedAmount
    },
    onopen: () => {},
    onmessage: () => {},
    onclose: () => {},
  }
  webSocket.on('open', () => socket.onopen())
  webSocket.on('message', (data: RawData, isBinary: boolean) => {
    const bytes = whole(data)
    socket.onmessage(isBinary ? bytes : bytes.toString('utf8'))
  })
  // A close event follows every error of ws, so the error itself only has to be heard.
  let failure = ''
  webSocket.on('error', (error) => {
    failure = error.message
  })
  webSocket.on('close', (code, reason) => {
    if (closed) {
      return
    }
    closed = true
    socket.onclose({ code, reason: reason.length > 0 ? reason.toString('utf8') : failure })
  })
  return socket
}

function whole(data: RawData): Buffer {
  if (Array.isArray(data)) {
    return Buffer.concat(data)
  }
  return data instanceof ArrayBuffer ? Buffer.from(data) : data
}
