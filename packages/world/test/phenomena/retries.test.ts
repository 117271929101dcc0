import { metastableFailure } from '../../src/phenomena/metastable-failure.ts'
import { retryStorm } from '../../src/phenomena/retry-storm.ts'
import { demonstrate } from './demonstration.ts'

demonstrate(retryStorm)
demonstrate(metastableFailure)
