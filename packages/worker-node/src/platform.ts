import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { performance } from 'node:perf_hooks'
import { defaultPlatform, type Platform, type Socket } from '@sluice/client'
import { type ClientOptions, type RawData, WebSocket } from 'ws'

/** The largest frame that any broker may state in its limits; they are known only after the connection is made. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024
/** A connection attempt that has not become a WebSocket after this long has failed. */
const HANDSHAKE_TIMEOUT_MS = 10_000

/** How long a peer that says nothing may take to answer a close; a process that has nothing else to do waits for it. */
const CLOSE_TIMEOUT_MS = 5_000

/** UTF-16 code units of a refusal's body that are shown. */
const REFUSAL_LENGTH_MAX = 300

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

/** A name with several addresses fails with an error for each and no message of its own. */
function textOf(error: Error): string {
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message
  return error.errors.map((each) => (each as Error).message).join(', ')
}

/** What a server answers that does not open a WebSocket: its status, and the beginning of what it says. */
async function refusalOf(response: IncomingMessage): Promise<string> {
  const { statusCode, statusMessage } = response
  let body = ''
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      body += chunk
      if (body.length > REFUSAL_LENGTH_MAX) break
    }
  } catch {
    // Cut off: the status says enough.
  }
  const said = body.replace(/\s+/g, ' ').trim().slice(0, REFUSAL_LENGTH_MAX)
  return `the server refuses the WebSocket with HTTP ${statusCode} (${statusMessage})${said === '' ? '' : `: ${said}`}`
}
