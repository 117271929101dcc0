import { createMachine } from 'xstate'
import { chartStatesOf, type StateTable, stepsOf } from './state-table.ts'

/**
 * - `starting`: the broker reads the journal and answers nothing.
 * - `ready`: it accepts, delivers and settles.
 * - `draining`: it accepts and delivers nothing new and takes no connection. Leased tasks may still be settled.
 * - `read_only`: the journal has failed, or an invariant is broken. It acknowledges nothing more. Only a restart helps,
 *   because memory may be ahead of what is stored.
 * - `stopped`: everything is written; every connection and the journal are closed.
 */
export type BrokerState = 'starting' | 'ready' | 'draining' | 'read_only' | 'stopped'

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
export const nextBrokerState = stepsOf<BrokerState, BrokerEvent>('broker', BROKER)

/** The same table as a chart. */
export const brokerMachine = createMachine({
  types: {} as { events: { type: BrokerEvent } },
  id: 'broker',
  initial: 'starting',
  states: chartStatesOf<BrokerState, BrokerEvent>(BROKER),
})
