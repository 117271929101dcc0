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
  connect(url: string, options: { protocol: string }): Socket
}

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
  webSocket.onclose = ({ code, reason }) => socket.onclose({ code, reason })
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
}

/** XState's clock on the injected timers. */
export function machineClock(platform: Platform) {
  return {
    setTimeout: (fn: () => void, ms: number) => platform.setTimer(fn, ms),
    clearTimeout: (cancel: (() => void) | undefined) => cancel?.(),
  }
}
