import { leaseExpiry } from '../../src/phenomena/lease-expiry.ts'
import { poisonMessage } from '../../src/phenomena/poison-message.ts'
import { thunderingHerd } from '../../src/phenomena/thundering-herd.ts'
import { demonstrate } from './demonstration.ts'

demonstrate(thunderingHerd)
demonstrate(leaseExpiry)
demonstrate(poisonMessage)
