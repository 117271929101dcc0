import type { OnTransition } from '@sluice/machines/states'

/** A WebSocket as the client needs it. The owner sets the three callbacks before control returns to the event loop. */
export interface Socket {
  send(data: string | Uint8Array): void
  close(code?: number, reason?: string): void
  /** Bytes given to `send` that have not been sent yet. */
  readonly bufferedBytes: number
  onopen: () => void
  onmessage: (data: string | Uint8Array) => void
  /** Called once, also after a failed attempt. Nothing is called after it. */
  onclose: (event: { code: number; reason: string }) => void
}

/** What the client needs from its environment. Replace it to run under a virtual clock or on another socket. */
export interface Platform {
  /** A monotonic time in ms, from any start. */
  now(): number
  /** Calls `fn` once after `ms`. The returned function cancels it. */
  setTimer(fn: () => void, ms: number): () => void
  /** A uniform number in [0, 1). */
  random(): number
  /** `count` unpredictable bytes. */
  randomBytes(count: number): Uint8Array
  /** The wall clock in ms since 1970. Only task ids use it. */
  epochMs(): number
  /**
   * Starts a connection. It throws only if no later attempt can succeed either; the client or worker then fails with
   * that error.
   */
  connect(url: string, options: { protocol: string }): Socket
  /** Receives warnings and errors if no `logger` is given. Without it they are dropped. */
  warn?(message: string, fields: object): void
  /** Is told what every chart of the program does: connection, producer, worker, slots, items of an outbox. */
  onTransition?: OnTransition | undefined
}

const NO_WEBSOCKET =
  'this runtime has no WebSocket: use Node 22 or later, or pass platform: nodePlatform of @sluice/worker-node'

/** The longest delay of `setTimeout`. A longer timer fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1

function setTimer(fn: () => void, ms: number): () => void {
  let timer: ReturnType<typeof setTimeout>
  const arm = (leftMs: number): void => {
    timer = leftMs > TIMER_MS_MAX ? setTimeout(() => arm(leftMs - TIMER_MS_MAX), TIMER_MS_MAX) : setTimeout(fn, leftMs)
  }
  arm(ms)
  return () => clearTimeout(timer)
}

function connect(url: string, options: { protocol: string }): Socket {
  if (globalThis.WebSocket === undefined) throw new Error(NO_WEBSOCKET)
  const webSocket = new globalThis.WebSocket(url, options.protocol)
  webSocket.binaryType = 'arraybuffer'
  const socket: Socket = {
    send: (data) => webSocket.send(data as string | Uint8Array<ArrayBuffer>),
    // Browsers allow a program to close only with 1000 or 3000–4999.
    close: (code = 1000, reason = '') => webSocket.close(code === 1000 || code >= 3000 ? code : 1000, reason),
    get bufferedBytes() {
      return webSocket.bufferedAmount
    },
    onopen: () => {},
    onmessage: () => {},
    onclose: () => {},
  }
  webSocket.onopen = () => socket.onopen()
  webSocket.onmessage = ({ data }) => socket.onmessage(typeof data === 'string' ? data : new Uint8Array(data))
  let failure = ''
  // Browsers give no cause here. Other runtimes tell why a connection failed.
  webSocket.onerror = (event) => {
    failure = (event as { message?: string }).message ?? ''
  }
  webSocket.onclose = ({ code, reason }) => socket.onclose({ code, reason: reason || failure })
  return socket
}

/** The platform of browsers, Node ≥ 22, Deno, Bun and edge runtimes. It uses `globalThis`. */
export const defaultPlatform: Platform = {
  now: () => globalThis.performance.now(),
  setTimer,
  random: () => Math.random(),
  randomBytes: (count) => globalThis.crypto.getRandomValues(new Uint8Array(count)),
  epochMs: () => Date.now(),
  connect,
  warn: (message, fields) => console.warn(`sluice: ${message}`, fields),
}
