import { createHash } from 'node:crypto'
import type { Plugin } from 'vite'

/** Beside the page, so that it serves the folder of the page and nothing else. */
export const OFFLINE_FILE = 'offline.js'

/**
 * The service worker of the built page: it keeps every file of this build, answers from what it keeps, and forgets older
 * builds. Nothing is asked for again until there is a new build.
 * @param files paths beside the page
 */
export function offlineWorker(files: readonly string[]): string {
  const version = createHash('sha256').update(files.join('\n')).digest('hex').slice(0, 16)
  return `const kept = 'sluice-simulator-${version}'
const files = ${JSON.stringify(['./', ...files])}
addEventListener('install', (event) => {
  event.waitUntil(caches.open(kept).then((cache) => cache.addAll(files)).then(() => skipWaiting()))
})
addEventListener('activate', (event) => {
  const isOld = (name) => name.startsWith('sluice-simulator-') && name !== kept
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(isOld).map((name) => caches.delete(name)))))
})
addEventListener('fetch', (event) => {
  if (event.request.method !== 'GET') return
  event.respondWith(
    caches.open(kept).then((cache) => cache.match(event.request, { ignoreSearch: true })).then((found) => found ?? fetch(event.request)),
  )
})
`
}

/** Adds the service worker to the build. Names of files have the hash of what is in them, except the page's own. */
export function offline(): Plugin {
  return {
    name: 'offline-worker',
    enforce: 'post',
    generateBundle(_, bundle) {
      const page = bundle['index.html']
      const text = page?.type === 'asset' ? String(page.source) : ''
      const files = Object.keys(bundle).filter((name) => !name.endsWith('.map'))
      const source = offlineWorker([
        ...files,
        `index.html?${createHash('sha256').update(text).digest('hex').slice(0, 8)}`,
      ])
      this.emitFile({ type: 'asset', fileName: OFFLINE_FILE, source })
    },
  }
}
