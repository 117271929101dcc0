import { moreThanLive } from '../duplicates.ts'
import { loadedFault } from '../loaded-fault.ts'
import { killSettings } from './kill-worker.ts'

/** The broker is killed under load, and started anew on the same port. */
export const killBroker = loadedFault({
  name: 'kill-broker',
  about: 'kill -9 of the broker under load',
  settings: killSettings,
  disrupt: (loaded) => loaded.restartBroker(),
  checks: [moreThanLive],
  away: 'broker ready again',
})
