import { withoutExpiry } from '../duplicates.ts'
import { loadedFault } from '../loaded-fault.ts'
import { pause } from '../pause.ts'
import { pauseSettings } from './pause-worker.ts'

/** The broker stands still for longer than leases, heartbeats and connections last, and goes on as though nothing was. */
export const pauseBroker = loadedFault({
  name: 'pause-broker',
  about: 'SIGSTOP of the broker for 1 – 4 leases, then SIGCONT',
  settings: pauseSettings,
  async disrupt({ broker, working, settings }, random) {
    return { ...(await pause(broker.child.pid, settings.leaseMs * (1 + 3 * random()))), victims: [...working] }
  },
  unexplained: withoutExpiry,
})
