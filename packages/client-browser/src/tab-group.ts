import type { Channel, Locks, TabGroup } from '@sluice/client/outbox'

/**
 * @returns what connects the tabs of an origin: Web Locks and BroadcastChannels. `undefined` where one of the two is
 * missing, such as on a page without HTTPS; each tab then works for itself, and the broker refuses what comes twice
 */
export function tabGroup(): TabGroup | undefined {
  const { locks } = globalThis.navigator ?? {}
  if (locks === undefined || globalThis.BroadcastChannel === undefined) return undefined
  return { locks: webLocks(locks), channel: broadcastChannel }
}

function webLocks(manager: LockManager): Locks {
  return {
    request: (name, onStolen, { signal, steal = false }) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted()
        let state: 'waiting' | 'held' | 'released' = 'waiting'
        const hold = (): Promise<void> =>
          new Promise((end) => {
            state = 'held'
            const release = () => {
              state = 'released'
              end()
            }
            resolve({ release })
          })
        // The browser takes no signal with `steal`, and grants such a request at once.
        manager.request(name, steal ? { steal } : { signal }, hold).catch((error: unknown) => {
          if (state === 'waiting') reject(error)
          else if (state === 'held') onStolen()
        })
      }),
  }
}

function broadcastChannel(name: string): Channel {
  const broadcast = new BroadcastChannel(name)
  const channel: Channel = {
    post: (message) => broadcast.postMessage(message),
    onmessage: () => {},
    close: () => broadcast.close(),
  }
  broadcast.onmessage = ({ data }) => channel.onmessage(data)
  return channel
}
