import { headOfLineBlocking } from '../../src/phenomena/head-of-line-blocking.ts'
import { overload } from '../../src/phenomena/overload.ts'
import { slowWorker } from '../../src/phenomena/slow-worker.ts'
import { tooMuchCredit } from '../../src/phenomena/too-much-credit.ts'
import { demonstrate } from './demonstration.ts'

demonstrate(headOfLineBlocking)
demonstrate(overload)
demonstrate(slowWorker)
demonstrate(tooMuchCredit)
