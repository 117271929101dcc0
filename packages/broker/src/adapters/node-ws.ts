import { isUtf8 } from 'node:buffer'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { type Duplex, getDefaultHighWaterMark } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { SUBPROTOCOL, type WireError } from '@sluice/protocol'
import type { Hono } from 'hono'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'
import type { BrokerCore } from '../core/broker-core.ts'
import type { HostLog, Transport } from '../core/platform.ts'
import { printable } from '../core/printable.ts'
import { errorResponse } from '../http/error-response.ts'
import { isAllowedHost } from '../http/guards.ts'
import { isLoopbackHost } from '../loopback.ts'
import { adviceOn } from '../system-error.ts'
import { HttpTurns } from './http-turns.ts'
import { connectionsFor } from './open-files.ts'
import { RareWarnings } from './rare-warnings.ts'
import { SignsOfLife } from './signs-of-life.ts'
import { readTls, type TlsFiles, watchTls } from './tls.ts'

/** A frame in more fragments than this is meant to do harm. */
const FRAGMENTS_MAX = 64
/** A frame that exceeds its limit by more than this is cut off unread. */
const FRAME_OVERHEAD_BYTES = 1024
/** The longest time in which the headers of a request must arrive. */
const HEADERS_TIMEOUT_MS_MAX = 10_000
/** The longest period at which the timeouts of requests are checked. */
const TIMEOUTS_CHECKED_EVERY_MS_MAX = 2000
/** How long the peer may take to close a connection that the broker closed, or to read its last answer. */
const CLOSE_TIMEOUT_MS = 2000

export interface NodeServer {
  port: number
  /** Takes no new connection, closes every WebSocket, and waits for a bounded time until HTTP requests are answered. */
  close(): Promise<void>
}

export interface NodeServerOptions {
  host: string
  port: number
  app: Hono
  broker: BrokerCore
  log: HostLog
  /** Origins whose pages may connect, besides those of loopback addresses. */
  allowedOrigins: readonly string[]
  /** Names that `Host` may hold, besides those of loopback. Undefined: any. */
  allowedHosts: readonly string[] | undefined
  /** Whether pages of loopback addresses may connect although their origin is not listed. */
  trustsLoopbackPages: boolean
  /** The client's address of a request or a handshake. */
  addressOf: (arrival: IncomingMessage) => string
  /** Serves TLS with these files. */
  tls?: TlsFiles | undefined
}

/** Serves WebSocket and HTTP on one port of one address. Rejects with Node's error if it cannot listen there. */
export async function serveNode(options: NodeServerOptions): Promise<NodeServer> {
  const { app, broker, log, tls, addressOf } = options
  const { connectionsMax, waitersMax, requestTimeoutMs, pingEveryMs } = broker.config
  const serverOptions = {
    headersTimeout: Math.min(HEADERS_TIMEOUT_MS_MAX, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(TIMEOUTS_CHECKED_EVERY_MS_MAX, requestTimeoutMs),
    // A socket emits 'drain' only after it held this much. A stalled connection waits for that event.
    highWaterMark: Math.min(getDefaultHighWaterMark(false), broker.config.sendBufferBytesHigh),
    // Other upgrades are offers that may be ignored, such as HTTP/2, which some HTTP clients offer with each request.
    shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === 'websocket',
  }
  const listener = getRequestListener(app.fetch, {
    // The app answers its own failures. This handles failures before a request reaches it.
    errorHandler: () =>
      errorResponse({ code: 'bad_message', message: 'The request has no URL, or no Host, that can be read.' }),
  })
  const admit = (request: IncomingMessage, response: ServerResponse): void => {
    const turn = broker.request(addressOf(request))
    if (typeof turn === 'function') {
      response.once('close', turn)
      listener(request, response)
    } else refuseForQuota(response, turn)
  }
  const turns = new HttpTurns(admit, refuseForLackOfRoom, { writeTimeoutMs: requestTimeoutMs })
  const take = (request: IncomingMessage, response: ServerResponse): void => turns.take(request, response)
  const tlsServer = tls && createTlsServer({ ...serverOptions, ...readTls(tls) }, take)
  const server = tlsServer ?? createServer(serverOptions, take)
  const endTls = tlsServer && watchTls(tls as TlsFiles, log, (context) => tlsServer.setSecureContext(context))
  // Connections past this limit are cut off without an answer. A surplus WebSocket still gets the reason as long as
  // HTTP waiters leave room.
  const filesMax = connectionsFor()
  server.maxConnections = Math.min(connectionsMax + waitersMax, filesMax)
  const answering = new Set<ServerResponse>()
  server.on('request', (_, response) => {
    answering.add(response)
    response.once('close', () => answering.delete(response))
  })
  const webSocketOptions: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    perMessageDeflate: false,
    // The decoder reports the limit by name. This one only keeps a frame from filling memory before the decoder sees
    // it.
    maxPayload: broker.config.limits.frameBytesMax + FRAME_OVERHEAD_BYTES,
    maxFragments: FRAGMENTS_MAX,
    // The decoder does this, and names the fault.
    skipUTF8Validation: true,
    clientTracking: true,
    // A refused client may not keep its socket by not closing it.
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  }
  const sockets = new WebSocketServer(webSocketOptions)
  const signs = new SignsOfLife()
  const warnings = new RareWarnings(log)
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {})
    const refusal = refusalOf(request, options)
    if (refusal) {
      const { status, headers = '', error, seen } = refusal
      warnings.warn(
        { status: Number.parseInt(status, 10), ...seen, from: request.socket.remoteAddress },
        `refused a WebSocket handshake: ${error.message}`,
      )
      const body = JSON.stringify({ error })
      // The peer may never close its half, and nothing here would notice.
      socket.once('finish', () => socket.destroy())
      socket.end(
        `HTTP/1.1 ${status}\r\n${headers}Connection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      signs.watch(webSocket, socket as Socket)
      adopt(webSocket, socket as Socket, addressOf(request), broker, log)
    })
  })
  await listening(server, options)
  const isShortOfFiles = filesMax < connectionsMax + waitersMax
  const why = isShortOfFiles
    ? `the system lets this process open files for ${filesMax}${adviceOn('EMFILE')}`
    : `connectionsMax and waitersMax are ${connectionsMax + waitersMax} together`
  server.on('drop', (from) =>
    warnings.warn({ from: from?.remoteAddress }, `a connection was dropped, for there are too many: ${why}`),
  )
  // One connection that cannot be accepted must not end the process.
  server.on('error', (error: NodeJS.ErrnoException) =>
    warnings.warn({ code: error.code }, `a connection could not be taken: ${error.message}${adviceOn(error.code)}`),
  )
  // Waiting input is read first, so that a stall of this process does not count as silence of a peer.
  const pings = setInterval(() => setImmediate(() => signs.look()), pingEveryMs)
  pings.unref()
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      clearInterval(pings)
      endTls?.()
      for (const response of answering) response.shouldKeepAlive = false
      sockets.close()
      for (const webSocket of sockets.clients) webSocket.close(4006, 'draining')
      let deadline: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        deadline = setTimeout(() => {
          for (const webSocket of sockets.clients) webSocket.terminate()
          server.closeAllConnections()
          resolve()
        }, CLOSE_TIMEOUT_MS)
      })
      clearTimeout(deadline)
    },
  }
}

/** Answers a request while too many answers are unread. */
function refuseForLackOfRoom(_: IncomingMessage, response: ServerResponse): void {
  refuse(response, 503, { code: 'busy', message: 'Too many answers are unread: ask again later.', retryAfterMs: 1000 })
}

/** Its body is not read, so the connection ends with the answer. */
function refuseForQuota(response: ServerResponse, error: WireError): void {
  response.shouldKeepAlive = false
  refuse(response, 429, error)
}

function refuse(response: ServerResponse, status: 429 | 503, error: WireError): void {
  const retryAfter = String(Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1000)))
  response.writeHead(status, { 'content-type': 'application/json', 'retry-after': retryAfter })
  response.end(JSON.stringify({ error }))
}

interface HandshakeRefusal {
  /** The text of the status line. */
  status: string
  headers?: string
  error: WireError
  /** Parts of the request, for the log. */
  seen: Record<string, string>
}

/** Why an upgrade is refused. CORS does not cover WebSockets, so the origin is checked here. */
function refusalOf(request: IncomingMessage, options: NodeServerOptions): HandshakeRefusal | undefined {
  const { origin, host = '', 'sec-websocket-protocol': offered = '' } = request.headers
  const forbidden = (field: string, message: string, value: string): HandshakeRefusal => ({
    status: '403 Forbidden',
    error: { code: 'not_permitted', field, message },
    seen: { [field]: printable(value) },
  })
  if (!isAllowedHost(host, options.allowedHosts)) {
    const message =
      'its Host is no name of this broker; allowedHosts names those that are, or a proxy sends one of this machine (nginx: proxy_set_header Host localhost)'
    return forbidden('Host', message, host)
  }
  if (origin !== undefined && !isAllowedOrigin(origin, options))
    return forbidden('Origin', 'pages of its Origin may not connect; allowedOrigins names those that may', origin)
  const protocols = offered.split(',').map((name) => name.trim())
  // A client with a later version of the protocol offers this one too. Otherwise it cannot be served.
  if (protocols.includes(SUBPROTOCOL)) return undefined
  return {
    status: '426 Upgrade Required',
    headers: `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n`,
    error: { code: 'unsupported_version', message: `the subprotocol ${SUBPROTOCOL} is not offered` },
    seen: { offered: printable(offered) },
  }
}

function isAllowedOrigin(origin: string, { allowedOrigins, trustsLoopbackPages }: NodeServerOptions): boolean {
  if (allowedOrigins.includes(origin)) return true
  if (!trustsLoopbackPages || !URL.canParse(origin)) return false
  const { protocol, host } = new URL(origin)
  // A browser extension has an origin of its own, and its host may be called localhost.
  return (protocol === 'http:' || protocol === 'https:') && isLoopbackHost(host)
}

function adopt(webSocket: WebSocket, socket: Socket, address: string, broker: BrokerCore, log: HostLog): void {
  // Attach this before the first byte: an error without a listener would end the process.
  webSocket.on('error', (error) => log.debug({ err: error, address }, 'connection error'))
  const transport: Transport = {
    address,
    send: (frame) => webSocket.send(frame),
    close: (code, reason) => {
      // Read the peer's answer to the close. Otherwise both sides wait until their timeouts.
      webSocket.resume()
      // ws refuses codes that may not be sent. They stand for a connection that is lost anyway.
      if (code === 1006) webSocket.terminate()
      else webSocket.close(code, reason)
    },
    terminate: () => webSocket.terminate(),
    get bufferedBytes() {
      return webSocket.bufferedAmount
    },
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
    limitFrames: (bytes) => limitFrames(webSocket, bytes),
  }
  const connection = broker.connect(transport)
  if (!connection) return
  webSocket.on('message', (data, isBinary) => {
    const bytes = data as Buffer
    if (isBinary) connection.receive(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length))
    else if (isUtf8(bytes)) connection.receive(bytes.toString('utf8'))
    else connection.refuse('bad_frame', 'a text frame is UTF-8', 4000)
  })
  webSocket.on('close', () => connection.closed())
  socket.on('drain', () => connection.emptied())
}

/**
 * Limits an unknown client to the size of its hello. ws 8 has no public way to change the limit, so this sets its
 * field.
 */
function limitFrames(webSocket: WebSocket, bytes: number): void {
  const { _receiver: receiver } = webSocket as { _receiver?: { _maxPayload: number } }
  if (receiver) receiver._maxPayload = bytes + FRAME_OVERHEAD_BYTES
}

function listening(server: Server, { host, port }: NodeServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
