import { type Chart, eventOf } from './chart.ts'
import type { WorkerState } from './states.ts'

export type WorkerEvent =
  | { type: 'connected' }
  | { type: 'drain'; graceMs: number }
  /** The worker holds no lease any more. */
  | { type: 'emptied' }
  | { type: 'close' }
  | { type: 'fail' }

export interface WorkerInput {
  /** How many deliveries the worker holds in total while it works. */
  creditMax: number
  /** How long the broker may take to confirm what was handed back at the end of the grace, in ms. */
  settleMs: number
}

export interface WorkerContext extends WorkerInput {
  graceMs: number
}

export const WORKER: Chart<WorkerContext, WorkerInput, WorkerEvent> = {
  id: 'worker',
  context: (input) => ({ ...input, graceMs: 0 }),
  effects: [],
  assigns: { keepGrace: (_, event) => ({ graceMs: eventOf(event, 'drain').graceMs }) },
  guards: {},
  delays: { graceMs: ({ graceMs }) => graceMs, settleMs: ({ settleMs }) => settleMs },
  root: {
    initial: 'starting',
    on: { close: '.stopped', fail: '.stopped' },
    states: {
      starting: { on: { connected: 'working', drain: 'stopped' } },
      working: { on: { drain: { actions: 'keepGrace', target: 'draining' } } },
      draining: { on: { emptied: 'stopped' }, after: { graceMs: 'aborting' } },
      aborting: { on: { emptied: 'stopped' }, after: { settleMs: 'stopped' } },
      stopped: { type: 'final' },
    },
  },
}

/** The credit to announce. The worker asks for deliveries only while it works. */
export function creditOf(state: WorkerState, creditMax: number): number {
  return state === 'working' ? creditMax : 0
}
