import { createTabWorker, type TabWorker } from '@sluice/worker-browser'
import { brokerToken } from './broker-access.ts'
import { renderTile } from './tile-task.ts'
import type { TileReport } from './tile-worker.ts'

/** This tab as a worker: one core at most, and nothing before the person agrees. */
export function lendTab(url: string, name: string, onReport: (report: TileReport) => void): TabWorker {
  return createTabWorker({
    url,
    ...brokerToken(),
    name,
    queues: [renderTile],
    consent: 'ask',
    consentKey: 'volunteer.consent',
    concurrency: 1,
    // A tab that is free takes the next tile, so that the last ones do not wait behind a slow tab.
    prefetch: 0,
    // A test has no time for that.
    pauseOnPressure: !new URLSearchParams(location.search).has('ignore-pressure'),
    worker: () => {
      const worker = new Worker(new URL('./tile-worker.ts', import.meta.url), { type: 'module', name })
      worker.addEventListener('message', ({ data }: MessageEvent) => {
        if (data?.kind === 'begun' || data?.kind === 'rendered') onReport(data)
      })
      return worker
    },
  })
}
