import { assign, setup } from 'xstate'

/**
 * What a producer may send now.
 * - `offline`: nothing; submissions wait here.
 * - `online`: everything, within the submit credit.
 * - `paused`: nothing new; the broker drains.
 * - `closing`: what was submitted before; new submissions are refused.
 * - `closed`: nothing, ever again.
 */
export type ProducerState = 'offline' | 'online' | 'paused' | 'closing' | 'closed'

export type ProducerEvent =
  | { type: 'connected' }
  | { type: 'disconnected' }
  | { type: 'drain' }
  | { type: 'close'; drainMs: number }
  /** Every submission has its answer. */
  | { type: 'flushed' }
  | { type: 'fail' }

export const producerMachine = setup({
  types: { context: {} as { drainMs: number }, events: {} as ProducerEvent },
  delays: { drainMs: ({ context }) => context.drainMs },
}).createMachine({
  id: 'producer',
  initial: 'offline',
  context: { drainMs: 0 },
  on: {
    close: { actions: assign({ drainMs: ({ event }) => event.drainMs }), target: '.closing' },
    fail: '.closed',
  },
  states: {
    offline: { on: { connected: 'online' } },
    online: { on: { disconnected: 'offline', drain: 'paused' } },
    paused: { on: { disconnected: 'offline' } },
    // A second close neither restarts nor extends the wait.
    closing: { on: { close: {}, flushed: 'closed' }, after: { drainMs: 'closed' } },
    closed: { type: 'final' },
  },
})
