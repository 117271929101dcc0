/**
 * Calls `fn` when the signal fires; at once where it has already.
 * @returns ends the wait for it: a signal may live for much longer than what listens to it
 */
export function onAbort(signal: AbortSignal | undefined, fn: () => void): () => void {
  if (signal?.aborted) fn()
  else signal?.addEventListener('abort', fn, { once: true })
  return () => signal?.removeEventListener('abort', fn)
}

/** The promise's outcome, or a rejection with the signal's reason where that comes first. */
export function withSignal<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(signal.reason))
    // Listened to even where the signal has fired: a rejection that nobody hears ends a Node process.
    promise.then(resolve, reject).then(forget, forget)
  })
}
