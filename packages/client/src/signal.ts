/** The promise's outcome, or a rejection with the signal's reason where that comes first. */
export function withSignal<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason)
      // Nobody else may listen to it, and a rejection that nobody hears ends a Node process.
      promise.catch(() => {})
      return
    }
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    const leave = (): void => signal.removeEventListener('abort', abort)
    promise.then(resolve, reject).then(leave, leave)
  })
}
