/** A WebSocket as the client needs it. The owner assigns the three callbacks before control returns to the event loop. */
export interface Socket {
  send(data: string | Uint8Array): void
  close(code?: number, reason?: string): void
  /** Bytes handed to `send` that have not left yet. */
  readonly bufferedBytes: number
  onopen: () => void
  onmessage: (data: string | Uint8Array) => void
  /** Called once, after a failed attempt as well; nothing is called after it. */
  onclose: (event: { code: number; reason: string }) => void
}

/** Everything the client takes from its surroundings. Replace it to run under a virtual clock or on another socket. */
export interface Platform {
  /** Monotonic, in ms, from any start. */
  now(): number
  /** Calls `fn` once after `ms`; the returned function cancels it. */
  setTimer(fn: () => void, ms: number): () => void
  /** Uniform in [0, 1). */
  random(): number
  /** Unpredictable bytes, `count` of them. */
  randomBytes(count: number): Uint8Array
  /** The wall clock in ms since 1970; only task ids use it. */
  epochMs(): number
  /** Begins a connection. Throws only where no later attempt can succeed either: the client or worker then fails with that error. */
  connect(url: string, options: { protocol: string }): Socket
  /** Where warnings and errors go while no `logger` is given. Without it they go nowhere. */
  warn?(message: string, fields: object): void
}

const NO_WEBSOCKET =
  'this runtime has no WebSocket: use Node 22 or later, or pass platform: nodePlatform of @sluice/worker-node'

/** The longest delay that `setTimeout` takes; anything longer fires at once. */
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
    // Browsers let a program close with 1000 or 3000–4999 only.
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
  // Browsers say nothing here; other runtimes say why a connection was not made.
  webSocket.onerror = (event) => {
    failure = (event as { message?: string }).message ?? ''
  }
  webSocket.onclose = ({ code, reason }) => socket.onclose({ code, reason: reason || failure })
  return socket
}

/** The platform of browsers, Node ≥ 22, Deno, Bun and edge runtimes: whatever `globalThis` has. */
export const defaultPlatform: Platform = {
  now: () => globalThis.performance.now(),
  setTimer,
  random: () => Math.random(),
  randomBytes: (count) => globalThis.crypto.getRandomValues(new Uint8Array(count)),
  epochMs: () => Date.now(),
  connect,
  warn: (message, fields) => console.warn(`sluice: ${message}`, fields),
}

/** XState's clock on the injected timers. */
export function machineClock(platform: Platform) {
  return {
    setTimeout: (fn: () => void, ms: number) => platform.setTimer(fn, ms),
    clearTimeout: (cancel: (() => void) | undefined) => cancel?.(),
  }
}
