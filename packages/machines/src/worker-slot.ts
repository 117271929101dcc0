import { createMachine } from 'xstate'
import { chartStatesOf, type StateTable, stepsOf } from './state-table.ts'

/**
 * A slot holds one delivery of a worker.
 * - `idle`: the slot is free.
 * - `queued`: the lease is held and the handler has not been called. The delivery waits for free concurrency, for its
 *   `begin` to leave, or to run alone.
 * - `running`: the handler works and the lease is held.
 * - `aborting`: the lease is answered or lost and the signal is aborted; the handler has not returned yet.
 * - `settling`: the handler is done. Its answer may not be durable yet, so the lease still counts as held.
 */
export type SlotState = 'idle' | 'queued' | 'running' | 'aborting' | 'settling'

/**
 * - `deliver`: a delivery arrived.
 * - `start`: the handler is called, so the delivery has begun.
 * - `finish`: the handler returned or threw.
 * - `abort`: the lease is lost, handed back or past its time limit while the handler runs.
 * - `release`: the delivery is handed back before the handler was called.
 * - `lose`: the lease is lost while no handler runs.
 * - `settle`: the broker has answered the settlement.
 */
export type SlotEvent = 'deliver' | 'start' | 'finish' | 'abort' | 'release' | 'lose' | 'settle'

/** The life of a slot. Both the workers' lookup and the chart are made from this table. */
export const WORKER_SLOT = {
  idle: { deliver: 'queued' },
  queued: { start: 'running', release: 'settling', lose: 'idle' },
  running: { finish: 'settling', abort: 'aborting' },
  aborting: { finish: 'idle' },
  settling: { settle: 'idle', lose: 'idle' },
} as const satisfies StateTable<SlotState, SlotEvent>

/**
 * The hot path's lookup in the table.
 * @throws if the table has no such change, because going on with a wrong belief about a lease would be worse
 */
export const nextSlotState = /* @__PURE__ */ stepsOf<SlotState, SlotEvent>('worker slot', WORKER_SLOT)

/** The same table as a chart. */
export const workerSlotMachine = /* @__PURE__ */ createMachine({
  types: {} as { events: { type: SlotEvent } },
  id: 'worker-slot',
  initial: 'idle',
  states: /* @__PURE__ */ chartStatesOf<SlotState, SlotEvent>(WORKER_SLOT),
})
