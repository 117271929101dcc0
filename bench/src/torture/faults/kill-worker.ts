import type { Scale } from '../../bench.ts'
import { moreThanLive } from '../duplicates.ts'
import { loadedFault } from '../loaded-fault.ts'
import type { LoadSettings } from '../loaded-queue.ts'
import { wholeBetween } from '../random.ts'

export const killSettings: Record<Scale, LoadSettings> = {
  full: {
    inFlight: 200,
    concurrency: 50,
    workMsMax: 40,
    loadMs: 1500,
    leaseMs: 3000,
    heartbeatMs: 5000,
    graceMs: 10_000,
    recheckMax: 20_000,
  },
  quick: {
    inFlight: 20,
    concurrency: 10,
    workMsMax: 20,
    loadMs: 400,
    leaseMs: 3000,
    heartbeatMs: 5000,
    graceMs: 500,
    recheckMax: 500,
  },
}

/** One worker is killed under load, and another takes its place. */
export const killWorker = loadedFault({
  name: 'kill-worker',
  about: 'kill -9 of a worker under load',
  settings: killSettings,
  disrupt: (loaded, random) => loaded.replaceWorker(wholeBetween(random, 0, loaded.working.length)),
  checks: [moreThanLive],
})
