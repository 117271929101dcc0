import { type Chart, eventOf } from './chart.ts'

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

export const PRODUCER: Chart<{ drainMs: number }, undefined, ProducerEvent> = {
  id: 'producer',
  context: () => ({ drainMs: 0 }),
  effects: [],
  assigns: { keepDrain: (_, event) => ({ drainMs: eventOf(event, 'close').drainMs }) },
  guards: {},
  delays: { drainMs: ({ drainMs }) => drainMs },
  root: {
    initial: 'offline',
    on: { close: { actions: 'keepDrain', target: '.closing' }, fail: '.closed' },
    states: {
      offline: { on: { connected: 'online' } },
      online: { on: { disconnected: 'offline', drain: 'paused' } },
      paused: { on: { disconnected: 'offline' } },
      // A second close neither restarts nor extends the wait.
      closing: { on: { close: {}, flushed: 'closed' }, after: { drainMs: 'closed' } },
      closed: { type: 'final' },
    },
  },
}
