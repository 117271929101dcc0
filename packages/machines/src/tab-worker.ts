import { createMachine } from 'xstate'
import { chartStatesOf, type StateTable, stepsOf } from './state-table.ts'
import type { TabWorkerState } from './states.ts'

/**
 * - `agree`: the person agrees that the tab works.
 * - `revoke`: the person takes that back.
 * - `start`: the page wants the tab to work.
 * - `connect`: the broker has welcomed the worker, and a handler can run.
 * - `disconnect`: the connection is lost, or no handler can run.
 * - `pause`: there is a first reason not to work now.
 * - `resume`: the last such reason is gone.
 * - `stop`: the page wants the tab not to work, until the next `start`.
 * - `drain`: the worker leaves for good when the running handlers have finished.
 * - `close`: the worker leaves for good, at once.
 * - `leave`: a drain is over.
 * - `fail`: nothing that the worker could try again would help.
 */
export type TabWorkerEvent =
  | 'agree'
  | 'revoke'
  | 'start'
  | 'connect'
  | 'disconnect'
  | 'pause'
  | 'resume'
  | 'stop'
  | 'drain'
  | 'close'
  | 'leave'
  | 'fail'

/** The life of a worker in a browser tab. Both its lookup and the chart are made from this table. */
export const TAB_WORKER = {
  asking: { agree: 'off', drain: 'stopped', close: 'stopped' },
  off: { revoke: 'asking', start: 'connecting', drain: 'stopped', close: 'stopped' },
  connecting: {
    connect: 'working',
    pause: 'paused',
    stop: 'off',
    revoke: 'asking',
    drain: 'draining',
    close: 'stopped',
    fail: 'failed',
  },
  working: {
    disconnect: 'connecting',
    pause: 'paused',
    stop: 'off',
    revoke: 'asking',
    drain: 'draining',
    close: 'stopped',
    fail: 'failed',
  },
  paused: {
    resume: 'connecting',
    stop: 'off',
    revoke: 'asking',
    drain: 'draining',
    close: 'stopped',
    fail: 'failed',
  },
  draining: { leave: 'stopped', stop: 'stopped', revoke: 'stopped', close: 'stopped', fail: 'stopped' },
  failed: { start: 'connecting', stop: 'off', revoke: 'asking', drain: 'stopped', close: 'stopped' },
  stopped: {},
} as const satisfies StateTable<TabWorkerState, TabWorkerEvent>

/** @throws if the table has no such change */
export const nextTabWorkerState = /* @__PURE__ */ stepsOf<TabWorkerState, TabWorkerEvent>('tab worker', TAB_WORKER)

/** The same table as a chart. A page that only looks up needs no XState, hence the mark. */
export const tabWorkerMachine = /* @__PURE__ */ createMachine({
  types: {} as { events: { type: TabWorkerEvent } },
  id: 'tab-worker',
  initial: 'asking',
  states: /* @__PURE__ */ chartStatesOf<TabWorkerState, TabWorkerEvent>(TAB_WORKER),
})
