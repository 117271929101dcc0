import type { Scale } from '../../bench.ts'
import { loadedFault } from '../loaded-fault.ts'
import type { LoadSettings } from '../loaded-queue.ts'
import { pause } from '../pause.ts'
import { lostAttempts } from '../recorded.ts'
import { pauseSettings } from './pause-worker.ts'

/** A client that has lost its connection is there again within the grace window, also on a busy machine. */
const backoffMsMax = 200

/** Handlers that are in the midst of their work when the broker stands still, and tasks that a single lost lease kills. */
const settings: Record<Scale, LoadSettings> = {
  full: { ...pauseSettings.full, workMsMax: 800, attemptsMax: 1, backoffMsMax },
  quick: { ...pauseSettings.quick, workMsMax: 300, attemptsMax: 1, backoffMsMax },
}

/**
 * The broker stands still for longer than leases, grace windows and connections last, and goes on as though nothing was. It
 * could not listen, so it holds that time against nobody (LEASE-10).
 */
export const pauseBroker = loadedFault({
  name: 'pause-broker',
  about: 'SIGSTOP of the broker for 1 – 4 leases, past heartbeats and grace windows, then SIGCONT',
  settings,
  async disrupt({ broker, working, settings: { leaseMs } }, random) {
    return { ...(await pause(broker.child.pid, leaseMs * (1 + 3 * random()))), victims: [...working] }
  },
  checks: [
    { name: 'rounds with a handler run twice', of: ({ duplicates }) => duplicates },
    {
      name: 'rounds with an expired lease of a live worker',
      of: ({ views, revoked }) => revoked.length + [...views.values()].filter((view) => lostAttempts(view) > 0).length,
    },
    { name: 'rounds with a lost session', of: ({ sessionsLost }) => sessionsLost },
  ],
})
