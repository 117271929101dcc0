/**
 * The entry of a handler Worker.
 * @module @sluice/worker-browser/handlers
 */
import { type ContractHandler, defaultPlatform, type Handlers, handlersByQueue } from '@sluice/client'
import { type HandlerReport, isConnect, type ServingMessage, type TaskMessage } from './handler-messages.ts'
import { HandlerServer } from './handler-server.ts'

export {
  type AnyHandler,
  type ContractHandler,
  defineTask,
  type Handler,
  type Handlers,
  handle,
  PermanentError,
  RetryableError,
  retryAfter,
  type TaskContext,
  type TaskContract,
} from '@sluice/client'
export { arrayOf, bytesOf } from './typed-bytes.ts'

let isServed = false

/**
 * Serves these handlers in a Worker that `createTabWorker` has started: handlers by queue, or a list of results of
 * `handle(contract, function)`. Call it once, when the Worker can take tasks. Each Worker runs one task at a time.
 *
 * The input of a handler is the JSON value that was submitted, or a Uint8Array of the submitted bytes. It owns them. It
 * returns JSON, or a Uint8Array.
 * @throws Error naming the handler that cannot be used; Error outside a Worker, or at the second call
 */
// biome-ignore lint/suspicious/noExplicitAny: a list of handlers with different inputs has no narrower type
export function serveHandlers(handlers: Handlers | readonly ContractHandler<any, any>[]): void {
  const served = handlersByQueue(handlers)
  const queues = Object.keys(served)
  if (queues.length === 0) throw new Error('serveHandlers needs a handler for at least one queue')
  if (globalThis.document !== undefined || typeof globalThis.postMessage !== 'function')
    throw new Error('serveHandlers has to be called in a Worker, in the script that `worker` of createTabWorker starts')
  if (isServed) throw new Error('serveHandlers was called before: give all handlers in one call')
  isServed = true
  globalThis.addEventListener('message', ({ data, ports: [port] }) => {
    if (isConnect(data) && port !== undefined) void serve(served, port, data.lock)
  })
  globalThis.postMessage({ sluice: 'serving', queues } satisfies ServingMessage)
}

async function serve(handlers: Handlers, port: MessagePort, lock: string): Promise<void> {
  const { now, setTimer } = defaultPlatform
  const post = (report: HandlerReport, transfer: Transferable[]) => port.postMessage(report, transfer)
  const server = new HandlerServer(handlers, { now, setTimer, post })
  globalThis.addEventListener('error', ({ error, message }) => server.stray(error ?? message))
  globalThis.addEventListener('unhandledrejection', ({ reason }) => server.stray(reason))
  port.onmessage = ({ data }: MessageEvent<TaskMessage>) => server.receive(data)
  const isLocked = await holdLock(lock)
  if (!isLocked) tellClose(() => post({ type: 'closing' }, []))
  post({ type: 'ready', isLocked }, [])
}

/** A Worker that closes itself tells nobody. */
function tellClose(tell: () => void): void {
  const close = globalThis.close.bind(globalThis)
  globalThis.close = () => {
    tell()
    close()
  }
}

/** Takes a lock and keeps it until the Worker ends. @returns false where there are no Web Locks */
function holdLock(name: string): Promise<boolean> {
  const { locks } = globalThis.navigator as { locks?: LockManager }
  if (locks === undefined) return Promise.resolve(false)
  return new Promise((resolve) => {
    const taken = () => {
      resolve(true)
      return new Promise<never>(() => {})
    }
    locks.request(name, taken).catch(() => resolve(false))
  })
}
