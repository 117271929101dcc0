/** Calls back in a later turn of the event loop, after all promise callbacks. */
export const nextTurn: (fn: () => void) => void = typeof setImmediate === 'function' ? setImmediate : channelTurn()

/** Resolves once every promise callback that was due, and every one that those made due, has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve))
}

/** Browsers have no `setImmediate`, and their timers wait for milliseconds. */
function channelTurn(): (fn: () => void) => void {
  const { port1, port2 } = new MessageChannel()
  const waiting: (() => void)[] = []
  port1.onmessage = () => waiting.shift()?.()
  return (fn) => {
    waiting.push(fn)
    port2.postMessage(null)
  }
}
