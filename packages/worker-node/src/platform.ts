import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { performance } from 'node:perf_hooks'
import { defaultPlatform, type Platform, type Socket } from '@sluice/client'
import { type ClientOptions, type RawData, WebSocket } from 'ws'

/**
 * The largest `frameBytesMax` that any broker may state. The actual limit is known only after the connection is made.
 */
const FRAME_BYTES_MAX = 64 * 1024 * 1024
/** A connection attempt fails if it has not become a WebSocket after this time. */
const HANDSHAKE_TIMEOUT_MS = 10_000

/** How long a silent peer may take to answer a close. A process that has nothing else to do waits for it. */
const CLOSE_TIMEOUT_MS = 5_000

/** The maximum length of a refusal's body that is shown, in UTF-16 units. */
const REFUSAL_LENGTH_MAX = 300

/** The options of Node's socket. */
export interface NodePlatformOptions {
  /**
   * The largest frame accepted from the broker, in bytes. A larger one closes the connection with 1009. Default 64 MiB.
   */
  frameBytesMax?: number
  /** The time until an unfinished handshake counts as a failed connection, in ms. Default 10,000. */
  handshakeTimeoutMs?: number
}

/** The platform of Node: the `ws` socket, without compression and without copies of bytes. */
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
  // The published types do not have `closeTimeout` yet.
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
  // ws emits a close event after every error, so the error only needs a listener.
  let failure = ''
  webSocket.on('error', (error) => {
    if (failure === '') failure = textOf(error)
  })
  webSocket.on('unexpected-response', async (_request, response) => {
    failure = await refusalOf(response)
    webSocket.terminate()
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

/** A connection to a name with several addresses fails with one error per address and no message of its own. */
function textOf(error: Error): string {
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message
  return error.errors.map((each) => (each as Error).message).join(', ')
}

/** The answer of a server that does not open a WebSocket: its status, and the beginning of its body. */
async function refusalOf(response: IncomingMessage): Promise<string> {
  const { statusCode, statusMessage } = response
  let body = ''
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      body += chunk
      if (body.length > REFUSAL_LENGTH_MAX) break
    }
  } catch {
    // The body was cut off. The status is enough.
  }
  const said = body.replace(/\s+/g, ' ').trim().slice(0, REFUSAL_LENGTH_MAX)
  return `the server refuses the WebSocket with HTTP ${statusCode} (${statusMessage})${said === '' ? '' : `: ${said}`}`
}
