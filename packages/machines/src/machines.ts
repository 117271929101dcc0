import { CONNECTION } from './connection.ts'
import { machineOf } from './machine-of.ts'
import { PRODUCER } from './producer.ts'
import { WORKER } from './worker.ts'

/** The charts that programs run, for XState. The marks let a page that runs them leave XState out. */
export const connectionMachine = /* @__PURE__ */ machineOf(CONNECTION)
export const producerMachine = /* @__PURE__ */ machineOf(PRODUCER)
export const workerMachine = /* @__PURE__ */ machineOf(WORKER)
