import { littlesLaw } from '../../src/phenomena/littles-law.ts'
import { waitingTimeOver } from '../../src/phenomena/waiting-time.ts'
import { demonstrate } from './demonstration.ts'

demonstrate(littlesLaw)
// A sixth of what `pnpm fuzz --phenomena` runs: over these seeds chance happens to be small enough.
demonstrate(waitingTimeOver({ 'load 0.5': 400, 'load 0.8': 800 }))
