import { createMachine } from 'xstate'
import { chartStatesOf, type StateTable, stepsOf } from './state-table.ts'
import type { OutboxItemState } from './states.ts'

/**
 * - `save`: the store has completed a strict transaction with the item.
 * - `send`: the item was handed to a connection.
 * - `giveBack`: the connection, the tab or the leadership ended before an answer came; the item is still stored.
 * - `lapse`: the same for an item that is in memory only.
 * - `lackAuth`: the broker wants another token.
 * - `authenticate`: a new token was given; the item is still stored.
 * - `accept`: the broker has made the task durable.
 * - `refuse`: the broker, or the program itself, refused the item for good.
 * - `retry`: a person or the program wants a refused item sent again.
 * - `readmit`: as `authenticate` and `retry`, for an item that is in memory only.
 * - `run`: the task's handler has reported progress.
 * - `cancel`: a person or the program wants the task cancelled, and that wish is stored.
 * - `succeed`, `die`, `end`: the outcome of the task: a result, a failure, or a cancellation.
 * - `discard`: the item was removed. Nothing is sent.
 */
export type OutboxItemEvent =
  | 'save'
  | 'send'
  | 'giveBack'
  | 'lapse'
  | 'lackAuth'
  | 'authenticate'
  | 'readmit'
  | 'accept'
  | 'refuse'
  | 'retry'
  | 'run'
  | 'cancel'
  | 'succeed'
  | 'die'
  | 'end'
  | 'discard'

/** The life of an item of the outbox. Both the running lookup and the chart are made from this table. */
export const OUTBOX_ITEM = {
  unsaved: {
    save: 'saved',
    send: 'sending',
    lackAuth: 'needsAuth',
    cancel: 'cancelling',
    discard: 'discarded',
  },
  saved: { send: 'sending', lackAuth: 'needsAuth', cancel: 'cancelling', discard: 'discarded' },
  sending: {
    giveBack: 'saved',
    lapse: 'unsaved',
    accept: 'accepted',
    refuse: 'parked',
    cancel: 'cancelling',
  },
  needsAuth: { authenticate: 'saved', readmit: 'unsaved', cancel: 'cancelling', discard: 'discarded' },
  accepted: { run: 'running', cancel: 'cancelling', succeed: 'done', die: 'failed', end: 'cancelled' },
  running: { giveBack: 'accepted', cancel: 'cancelling', succeed: 'done', die: 'failed', end: 'cancelled' },
  cancelling: { succeed: 'done', die: 'failed', end: 'cancelled' },
  parked: { retry: 'saved', readmit: 'unsaved', cancel: 'cancelled', discard: 'discarded' },
  done: { discard: 'discarded' },
  failed: { discard: 'discarded' },
  cancelled: { discard: 'discarded' },
  discarded: {},
} as const satisfies StateTable<OutboxItemState, OutboxItemEvent>

/** @throws if the table has no such change */
export const nextOutboxItemState = /* @__PURE__ */ stepsOf<OutboxItemState, OutboxItemEvent>('outbox item', OUTBOX_ITEM)

/** The same table as a chart. */
export const outboxItemMachine = /* @__PURE__ */ createMachine({
  types: {} as { events: { type: OutboxItemEvent } },
  id: 'outbox-item',
  initial: 'unsaved',
  states: /* @__PURE__ */ chartStatesOf<OutboxItemState, OutboxItemEvent>(OUTBOX_ITEM),
})
