import { assign, setup } from 'xstate'
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

export const workerMachine = setup({
  types: { context: {} as WorkerContext, input: {} as WorkerInput, events: {} as WorkerEvent },
  delays: { graceMs: ({ context }) => context.graceMs, settleMs: ({ context }) => context.settleMs },
}).createMachine({
  id: 'worker',
  initial: 'starting',
  context: ({ input }) => ({ ...input, graceMs: 0 }),
  on: { close: '.stopped', fail: '.stopped' },
  states: {
    starting: { on: { connected: 'working', drain: 'stopped' } },
    working: {
      on: { drain: { actions: assign({ graceMs: ({ event }) => event.graceMs }), target: 'draining' } },
    },
    draining: { on: { emptied: 'stopped' }, after: { graceMs: 'aborting' } },
    aborting: { on: { emptied: 'stopped' }, after: { settleMs: 'stopped' } },
    stopped: { type: 'final' },
  },
})

/** The credit to announce. The worker asks for deliveries only while it works. */
export function creditOf(state: WorkerState, creditMax: number): number {
  return state === 'working' ? creditMax : 0
}
