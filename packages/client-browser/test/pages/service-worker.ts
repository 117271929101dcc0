import { drainInServiceWorker } from '@sluice/client-browser/service-worker'

/** What is used of a service worker's scope. */
interface Scope {
  skipWaiting(): Promise<void>
  clients: { claim(): Promise<void> }
  addEventListener(type: string, listener: (event: WorkerEvent) => void): void
}

interface WorkerEvent {
  waitUntil(promise: Promise<unknown>): void
  ports: readonly MessagePort[]
}

const scope = globalThis as unknown as Scope
const parameters = new URL(location.href).searchParams
const waitMs = parameters.get('waitMs')

const { drain } = drainInServiceWorker({
  url: parameters.get('broker')!,
  token: (owner) => parameters.get(`token-${owner}`) ?? undefined,
  ...(waitMs === null ? {} : { waitMs: Number(waitMs) }),
})

scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()))
scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()))
scope.addEventListener('message', (event) => {
  const answer = (text: string) => event.ports[0]!.postMessage(text)
  event.waitUntil(
    drain().then(
      () => answer('drained'),
      (error: Error) => answer(error.message),
    ),
  )
})
