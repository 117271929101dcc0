import { type BrowserClient, createBrowserClient, registerSync } from '@sluice/client-browser'

let client: BrowserClient | undefined

async function worker(): Promise<ServiceWorker> {
  return (await navigator.serviceWorker.ready).active!
}

/** What tests call in the page. */
const page = {
  async install(script: string): Promise<void> {
    await navigator.serviceWorker.register(script, { type: 'module' })
    await navigator.serviceWorker.ready
  },
  /** Opens a client that reaches no broker, and saves. */
  async save(owner: string, queue: string, count: number): Promise<string[]> {
    client ??= createBrowserClient({ url: 'ws://127.0.0.1:9', owner, logger: quiet })
    const handles = await Promise.all(Array.from({ length: count }, (_, n) => client!.submit(queue, n)))
    return handles.map(({ state }) => state)
  },
  async states(): Promise<string[]> {
    const other = client ?? createBrowserClient({ url: 'ws://127.0.0.1:9', owner: 'ada', logger: quiet })
    const items = await other.store.list({ owner: 'ada', states: ['saved', 'accepted', 'parked'], limit: 100 })
    if (other !== client) await other.close()
    return items.map(({ state }) => state)
  },
  async close(): Promise<void> {
    await client?.close()
    client = undefined
  },
  registerSync,
  /** @returns what the service worker says when it has drained */
  async drain(): Promise<string> {
    const { port1, port2 } = new MessageChannel()
    const answer = new Promise<string>((resolve) => {
      port1.onmessage = ({ data }) => resolve(data)
    })
    ;(await worker()).postMessage('drain', [port2])
    return answer
  },
}

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

export type OutboxPage = typeof page

Object.assign(globalThis, { page })
