import { createMachine } from 'xstate'
import { chartStatesOf, type StateTable, stepsOf } from './state-table.ts'
import type { DeliveryState, ReadingState, ServiceState, SessionState } from './states.ts'

/**
 * - `authenticate`: a hello to a broker with access control.
 * - `open`: a hello that resumes no held session.
 * - `resume`: a hello on a new connection that names this session. It replaces the connection before.
 * - `close`: the broker closes the connection: its input is refused, its reader is too slow, or the broker ends.
 * - `lose`: the connection is gone.
 * - `bye`: the client gives the session up.
 * - `expire`: the grace window is over.
 */
export type SessionEvent = 'authenticate' | 'open' | 'resume' | 'close' | 'lose' | 'bye' | 'expire'

/** The life of a session. Both the connections' lookup and the chart are made from this table. */
export const SESSION = {
  awaitingHello: { authenticate: 'authenticating', open: 'connected', close: 'closed', lose: 'closed' },
  authenticating: { open: 'connected', close: 'closed', lose: 'closed' },
  connected: { resume: 'connected', close: 'disconnected', lose: 'disconnected', bye: 'closed' },
  disconnected: { resume: 'connected', expire: 'closed' },
  closed: {},
} as const satisfies StateTable<SessionState, SessionEvent>

export type ReadingEvent = 'overdraw' | 'answer'

export const SESSION_READING = {
  reading: { overdraw: 'paused' },
  paused: { answer: 'reading' },
} as const satisfies StateTable<ReadingState, ReadingEvent>

export type DeliveryEvent = 'stall' | 'flow'

export const SESSION_DELIVERY = {
  flowing: { stall: 'stalled' },
  stalled: { flow: 'flowing' },
} as const satisfies StateTable<DeliveryState, DeliveryEvent>

export type ServiceEvent = 'drain'

export const SESSION_SERVICE = {
  serving: { drain: 'draining' },
  draining: {},
} as const satisfies StateTable<ServiceState, ServiceEvent>

/** Each @throws if its table has no such change. */
export const nextSessionState = /* @__PURE__ */ stepsOf<SessionState, SessionEvent>('session', SESSION)
export const nextReadingState = /* @__PURE__ */ stepsOf<ReadingState, ReadingEvent>('session', SESSION_READING)
export const nextDeliveryState = /* @__PURE__ */ stepsOf<DeliveryState, DeliveryEvent>('session', SESSION_DELIVERY)
export const nextServiceState = /* @__PURE__ */ stepsOf<ServiceState, ServiceEvent>('session', SESSION_SERVICE)

const states = /* @__PURE__ */ chartStatesOf<SessionState, SessionEvent>(SESSION)

/** The same tables as one chart. */
export const sessionMachine = /* @__PURE__ */ createMachine({
  types: {} as { events: { type: SessionEvent | ReadingEvent | DeliveryEvent | ServiceEvent } },
  id: 'session',
  initial: 'awaitingHello',
  states: {
    ...states,
    connected: {
      ...states.connected,
      type: 'parallel',
      states: {
        reading: {
          initial: 'reading',
          states: /* @__PURE__ */ chartStatesOf<ReadingState, ReadingEvent>(SESSION_READING),
        },
        delivery: {
          initial: 'flowing',
          states: /* @__PURE__ */ chartStatesOf<DeliveryState, DeliveryEvent>(SESSION_DELIVERY),
        },
        service: {
          initial: 'serving',
          states: /* @__PURE__ */ chartStatesOf<ServiceState, ServiceEvent>(SESSION_SERVICE),
        },
      },
    },
  },
})
