import type { Scale } from '../../bench.ts'
import { withoutExpiry } from '../duplicates.ts'
import { loadedFault } from '../loaded-fault.ts'
import type { LoadSettings } from '../loaded-queue.ts'
import { pause } from '../pause.ts'
import { wholeBetween } from '../random.ts'

export const pauseSettings: Record<Scale, LoadSettings> = {
  full: {
    inFlight: 200,
    concurrency: 50,
    workMsMax: 40,
    loadMs: 1500,
    leaseMs: 1000,
    heartbeatMs: 300,
    graceMs: 2000,
    recheckMax: 20_000,
  },
  quick: {
    inFlight: 20,
    concurrency: 10,
    workMsMax: 20,
    loadMs: 400,
    leaseMs: 400,
    heartbeatMs: 100,
    graceMs: 800,
    recheckMax: 500,
  },
}

/** One worker stands still, and goes on with leases that it has lost meanwhile. */
export const pauseWorker = loadedFault({
  name: 'pause-worker',
  about: 'SIGSTOP of a worker for 1 – 4 leases, then SIGCONT',
  settings: pauseSettings,
  async disrupt({ working, settings }, random) {
    const victim = working[wholeBetween(random, 0, working.length)]!
    return { ...(await pause(victim.child.pid, settings.leaseMs * (1 + 3 * random()))), victims: [victim] }
  },
  checks: [withoutExpiry],
})
