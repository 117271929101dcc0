import type { Channel, Locks, TabGroup } from '@sluice/client/outbox'

/**
 * What connects the tabs of an origin: Web Locks and BroadcastChannels.
 * @param outbox the name of the outbox. Tabs with another one do not meet. Default `sluice`
 * @returns `undefined` where one of the two is missing, such as on a page without HTTPS. Each tab then works for
 * itself, and what is sent twice is one task at the broker
 */
export function tabGroup(outbox = 'sluice'): TabGroup | undefined {
  const { locks } = globalThis.navigator ?? {}
  if (locks === undefined || globalThis.BroadcastChannel === undefined) return undefined
  const own = (name: string): string => `${outbox}: ${name}`
  return { locks: webLocks(locks, own), channel: (name) => broadcastChannel(own(name)) }
}

function webLocks(manager: LockManager, own: (name: string) => string): Locks {
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
        manager.request(own(name), steal ? { steal } : { signal }, hold).catch((error: unknown) => {
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
