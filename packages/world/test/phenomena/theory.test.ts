import { littlesLaw } from '../../src/phenomena/littles-law.ts'
import { waitingTimeOver } from '../../src/phenomena/waiting-time.ts'
import { demonstrate } from './demonstration.ts'

demonstrate(littlesLaw)
// A third and a sixth of the tasks that `pnpm fuzz --phenomena` runs.
demonstrate(waitingTimeOver({ 'load 0.5': 400, 'load 0.8': 800 }))
