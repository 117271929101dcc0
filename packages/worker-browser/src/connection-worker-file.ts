/**
 * Starts the connection Worker by its file, which is beside this one. Bundlers know this very form and put the file out
 * with the app.
 */
export function startConnectionWorker(): Worker {
  return new Worker(new URL('./connection-worker.ts', import.meta.url), { type: 'module', name: 'sluice connection' })
}
