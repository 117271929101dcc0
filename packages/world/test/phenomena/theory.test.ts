import { littlesLaw } from '../../src/phenomena/littles-law.ts'
import { waitingTime } from '../../src/phenomena/waiting-time.ts'
import { demonstrate } from './demonstration.ts'

demonstrate(littlesLaw)
demonstrate(waitingTime)
