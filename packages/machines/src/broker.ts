import { createMachine } from 'xstate'
import { chartStatesOf, type StateTable, stepsOf } from './state-table.ts'
import type { BrokerState } from './states.ts'

/**
 * - `recover`: the journal has been loaded.
 * - `drain`: the broker is asked to leave.
 * - `fail`: an append failed or an invariant broke.
 * - `stop`: everything pending is written.
 */
export type BrokerEvent = 'recover' | 'drain' | 'fail' | 'stop'

/** The life of a broker. Both the host's lookup and the chart are made from this table. */
export const BROKER = {
  starting: { recover: 'ready', fail: 'read_only', stop: 'stopped' },
  ready: { drain: 'draining', fail: 'read_only', stop: 'stopped' },
  draining: { fail: 'read_only', stop: 'stopped' },
  read_only: { stop: 'stopped' },
  stopped: {},
} as const satisfies StateTable<BrokerState, BrokerEvent>

/** @throws if the table has no such change */
export const nextBrokerState = /* @__PURE__ */ stepsOf<BrokerState, BrokerEvent>('broker', BROKER)

/** The same table as a chart. */
export const brokerMachine = /* @__PURE__ */ createMachine({
  types: {} as { events: { type: BrokerEvent } },
  id: 'broker',
  initial: 'starting',
  states: /* @__PURE__ */ chartStatesOf<BrokerState, BrokerEvent>(BROKER),
})
