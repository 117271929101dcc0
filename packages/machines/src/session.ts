import { createMachine } from 'xstate'
import { chartStatesOf, type StateTable, stepsOf } from './state-table.ts'

/**
 * A session as its broker sees it, across the connections that carry it.
 * - `awaitingHello`: the connection has not sent its hello. There is no session yet.
 * - `authenticating`: the broker checks the token of the hello. What the client sends meanwhile waits.
 * - `connected`: a connection carries the session; see the regions below.
 * - `disconnected`: its leases, credit and watches are kept until the grace window ends.
 * - `closed`: the session is gone and cannot be resumed.
 */
export type SessionState = 'awaitingHello' | 'authenticating' | 'connected' | 'disconnected' | 'closed'

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

/**
 * Whether the broker reads from the client. It does not while more submissions are unanswered than the submit credit
 * allows.
 */
export type ReadingState = 'reading' | 'paused'
export type ReadingEvent = 'overdraw' | 'answer'

export const SESSION_READING = {
  reading: { overdraw: 'paused' },
  paused: { answer: 'reading' },
} as const satisfies StateTable<ReadingState, ReadingEvent>

/** Whether tasks are delivered. They are not while the client does not read what it was sent. */
export type DeliveryState = 'flowing' | 'stalled'
export type DeliveryEvent = 'stall' | 'flow'

export const SESSION_DELIVERY = {
  flowing: { stall: 'stalled' },
  stalled: { flow: 'flowing' },
} as const satisfies StateTable<DeliveryState, DeliveryEvent>

/** Whether submissions are accepted. They are not once the client has been told that the broker is leaving. */
export type ServiceState = 'serving' | 'draining'
export type ServiceEvent = 'drain'

export const SESSION_SERVICE = {
  serving: { drain: 'draining' },
  draining: {},
} as const satisfies StateTable<ServiceState, ServiceEvent>

/** The regions of a connected session. Each connection starts them anew. */
export interface ConnectedState {
  reading: ReadingState
  delivery: DeliveryState
  service: ServiceState
}

/** The state value of `sessionMachine`. */
export type SessionValue = Exclude<SessionState, 'connected'> | { connected: ConnectedState }

/** Each @throws if its table has no such change. */
export const nextSessionState = stepsOf<SessionState, SessionEvent>('session', SESSION)
export const nextReadingState = stepsOf<ReadingState, ReadingEvent>('session', SESSION_READING)
export const nextDeliveryState = stepsOf<DeliveryState, DeliveryEvent>('session', SESSION_DELIVERY)
export const nextServiceState = stepsOf<ServiceState, ServiceEvent>('session', SESSION_SERVICE)

const states = chartStatesOf<SessionState, SessionEvent>(SESSION)

/** The same tables as one chart. */
export const sessionMachine = createMachine({
  types: {} as { events: { type: SessionEvent | ReadingEvent | DeliveryEvent | ServiceEvent } },
  id: 'session',
  initial: 'awaitingHello',
  states: {
    ...states,
    connected: {
      ...states.connected,
      type: 'parallel',
      states: {
        reading: { initial: 'reading', states: chartStatesOf<ReadingState, ReadingEvent>(SESSION_READING) },
        delivery: { initial: 'flowing', states: chartStatesOf<DeliveryState, DeliveryEvent>(SESSION_DELIVERY) },
        service: { initial: 'serving', states: chartStatesOf<ServiceState, ServiceEvent>(SESSION_SERVICE) },
      },
    },
  },
})
