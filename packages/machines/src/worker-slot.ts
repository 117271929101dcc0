import { createMachine } from 'xstate'
import { chartStatesOf, type StateTable, stepsOf } from './state-table.ts'

/**
 * A slot holds one delivery of a worker.
 *
 * - `idle`: holds nothing.
 * - `queued`: the lease is held, the handler has not been called. It waits for a place, for its `begin` to leave, or to run alone.
 * - `running`: the handler works and the lease is held.
 * - `aborting`: the lease is answered or lost, the signal is aborted, the handler has not returned yet.
 * - `settling`: the handler is done; the answer is not known to be durable, so the lease still counts as held.
 */
export type SlotState = 'idle' | 'queued' | 'running' | 'aborting' | 'settling'

/**
 * - `deliver`: a delivery arrived.
 * - `start`: the handler is called: the delivery is begun.
 * - `finish`: the handler returned or threw.
 * - `abort`: the lease is lost, handed back or past its time limit while the handler runs.
 * - `release`: handed back before the handler was called.
 * - `lose`: the lease is lost while no handler runs.
 * - `settle`: the broker has answered the settlement.
 */
export type SlotEvent = 'deliver' | 'start' | 'finish' | 'abort' | 'release' | 'lose' | 'settle'

/** The life of a slot, once: the lookup that workers use and the machine that people see both come from here. */
export const WORKER_SLOT = {
  idle: { deliver: 'queued' },
  queued: { start: 'running', release: 'settling', lose: 'idle' },
  running: { finish: 'settling', abort: 'aborting' },
  aborting: { finish: 'idle' },
  settling: { settle: 'idle', lose: 'idle' },
} as const satisfies StateTable<SlotState, SlotEvent>

/**
 * The hot path's way through the table.
 * @throws where the table has no such change, because going on with a wrong belief about a lease is worse.
 */
export const nextSlotState = stepsOf<SlotState, SlotEvent>('worker slot', WORKER_SLOT)

/** The same table as a chart. */
export const workerSlotMachine = createMachine({
  types: {} as { events: { type: SlotEvent } },
  id: 'worker-slot',
  initial: 'idle',
  states: chartStatesOf<SlotState, SlotEvent>(WORKER_SLOT),
})
