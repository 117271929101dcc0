import { badMessage } from './errors.ts'

/**
 * Calls `fn` when the signal fires, or at once if it has fired already.
 * @returns removes the listener; a signal may live much longer than its listeners
 */
export function onAbort(signal: AbortSignal | undefined, fn: () => void): () => void {
  checkSignal(signal)
  if (signal?.aborted) fn()
  else signal?.addEventListener('abort', fn, { once: true })
  return () => signal?.removeEventListener('abort', fn)
}

/** The promise's outcome, or a rejection with `reasonOf` the signal if that comes first. */
export function withSignal<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  reasonOf: (signal: AbortSignal) => unknown = ({ reason }) => reason,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(reasonOf(signal)))
    // Handle the promise even if the signal has fired: an unhandled rejection ends a Node process.
    promise.then(resolve, reject).then(forget, forget)
  })
}

/** @throws SluiceError `bad_message` if `signal` is no AbortSignal */
export function checkSignal(signal: unknown): void {
  if (signal === undefined) return
  if (typeof signal === 'object' && signal !== null && 'aborted' in signal && 'addEventListener' in signal) return
  throw badMessage(`signal has to be an AbortSignal, not ${String(signal)}`, 'options.signal')
}

/** Whether a signal's reason is that of `AbortSignal.timeout`. */
export function isTimeout(reason: unknown): reason is Error {
  return (reason as { name?: unknown } | null | undefined)?.name === 'TimeoutError'
}
