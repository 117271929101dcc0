import type { Fault } from '../fault.ts'
import { diskFull } from './disk-full.ts'
import { failingSync } from './failing-sync.ts'
import { failingWrites } from './failing-writes.ts'
import { killBroker } from './kill-broker.ts'
import { killWorker } from './kill-worker.ts'
import { pauseBroker } from './pause-broker.ts'
import { pauseWorker } from './pause-worker.ts'

export const faults: readonly Fault[] = [
  killBroker,
  killWorker,
  pauseBroker,
  pauseWorker,
  diskFull,
  failingWrites,
  failingSync,
]
