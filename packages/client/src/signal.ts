import { badMessage } from './errors.ts'

/**
 * Calls `fn` when the signal fires; at once where it has already.
 * @returns ends the wait for it: a signal may live for much longer than what listens to it
 */
export function onAbort(signal: AbortSignal | undefined, fn: () => void): () => void {
  checkSignal(signal)
  if (signal?.aborted) fn()
  else signal?.addEventListener('abort', fn, { once: true })
  return () => signal?.removeEventListener('abort', fn)
}

/** The promise's outcome, or a rejection with `reasonOf` the signal where that comes first. */
export function withSignal<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  reasonOf: (signal: AbortSignal) => unknown = ({ reason }) => reason,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(reasonOf(signal)))
    // Listened to even where the signal has fired: a rejection that nobody hears ends a Node process.
    promise.then(resolve, reject).then(forget, forget)
  })
}

/** @throws SluiceError `bad_message` where what is given as `signal` is none */
export function checkSignal(signal: unknown): void {
  if (signal === undefined) return
  if (typeof signal === 'object' && signal !== null && 'aborted' in signal && 'addEventListener' in signal) return
  throw badMessage(`signal has to be an AbortSignal, not ${String(signal)}`, 'options.signal')
}
