import type { Fault } from '../fault.ts'
import { bitFlips } from './bit-flips.ts'
import { crashAmongInnocents } from './crash-among-innocents.ts'
import { crashInLazyWindow } from './crash-in-lazy-window.ts'
import { cutJournal } from './cut-journal.ts'
import { diskFull } from './disk-full.ts'
import { failingSync } from './failing-sync.ts'
import { failingWrites } from './failing-writes.ts'
import { frozenWorker } from './frozen-worker.ts'
import { killBroker } from './kill-broker.ts'
import { killWorker } from './kill-worker.ts'
import { pauseBroker } from './pause-broker.ts'
import { pauseWorker } from './pause-worker.ts'
import { slowSync } from './slow-sync.ts'

export const faults: readonly Fault[] = [
  killBroker,
  killWorker,
  pauseBroker,
  pauseWorker,
  frozenWorker,
  crashAmongInnocents,
  crashInLazyWindow,
  slowSync,
  diskFull,
  failingWrites,
  failingSync,
  cutJournal,
  bitFlips,
]
