/**
 * Sends what pages have saved while no page is open, from the app's service worker.
 * @module @sluice/client-browser/service-worker
 */
export {
  drainInServiceWorker,
  type ServiceWorkerDrain,
  type ServiceWorkerDrainOptions,
} from './service-worker-drain.ts'
