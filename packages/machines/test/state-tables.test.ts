import { expect, test } from 'vitest'
import { type AnyStateMachine, type StateValue, transition } from 'xstate'
import {
  BROKER,
  brokerMachine,
  nextBrokerState,
  nextDeliveryState,
  nextReadingState,
  nextServiceState,
  nextSessionState,
  SESSION,
  SESSION_DELIVERY,
  SESSION_READING,
  SESSION_SERVICE,
  sessionMachine,
} from '../src/index.ts'
import { pathsThrough, valueName } from '../src/paths.ts'

interface Part {
  table: Record<string, Record<string, string>>
  next: (state: never, event: never) => string
  chart: AnyStateMachine
  /** The chart with this part in the state. */
  at: (state: string) => StateValue
  /** The part's state in the chart's. */
  of: (value: StateValue) => StateValue
}

const FRESH = { reading: 'reading', delivery: 'flowing', service: 'serving' }
const top = (value: StateValue): StateValue => (typeof value === 'string' ? value : 'connected')

const region = (name: string) => ({
  at: (state: string) => ({ connected: { ...FRESH, [name]: state } }),
  of: (value: StateValue) => (value as { connected: Record<string, string> }).connected[name] as string,
})

const PARTS: Record<string, Part> = {
  broker: { table: BROKER, next: nextBrokerState, chart: brokerMachine, at: (state) => state, of: (value) => value },
  session: {
    table: SESSION,
    next: nextSessionState,
    chart: sessionMachine,
    at: (state) => (state === 'connected' ? { connected: FRESH } : state),
    of: top,
  },
  reading: { table: SESSION_READING, next: nextReadingState, chart: sessionMachine, ...region('reading') },
  delivery: { table: SESSION_DELIVERY, next: nextDeliveryState, chart: sessionMachine, ...region('delivery') },
  service: { table: SESSION_SERVICE, next: nextServiceState, chart: sessionMachine, ...region('service') },
}

test.each(Object.entries(PARTS))('the chart and the lookup agree on every state and event: %s', (_, part) => {
  const { table, chart, at, of } = part
  const next = part.next as (state: string, event: string) => string
  const events = new Set(Object.values(table).flatMap((changes) => Object.keys(changes)))
  for (const [state, changes] of Object.entries(table)) {
    for (const type of events) {
      const snapshot = chart.resolveState({ value: at(state), context: {} })
      const [{ value }] = transition(chart, snapshot, { type })
      expect([state, type, of(value)]).toEqual([state, type, changes[type] ?? state])
      if (changes[type] === undefined) expect(() => next(state, type)).toThrow(`that is ${state} has no ${type}`)
      else expect(next(state, type)).toBe(changes[type])
    }
  }
})

test('a session that is resumed while it is connected begins anew', () => {
  const full = { connected: { reading: 'paused', delivery: 'stalled', service: 'draining' } } as const
  const snapshot = sessionMachine.resolveState({ value: full, context: {} })
  const [next] = transition(sessionMachine, snapshot, { type: 'resume' })
  expect(next.value).toEqual({ connected: FRESH })
})

test('every state of a broker and of a session can be reached, and every broker can be stopped', () => {
  const reached = (chart: AnyStateMachine, table: Record<string, Record<string, string>>) => {
    const events = [...new Set(Object.values(table).flatMap((changes) => Object.keys(changes)))]
    const paths = pathsThrough(chart, { events: events.map((type) => ({ type })) })
    return [...new Set(paths.flat().flatMap(({ before, after }) => [before.value, after.value].map(top)))].sort()
  }
  expect(reached(brokerMachine, BROKER)).toEqual(Object.keys(BROKER).sort())
  expect(reached(sessionMachine, SESSION)).toEqual(Object.keys(SESSION).sort())
  for (const state of Object.keys(BROKER)) if (state !== 'stopped') expect(BROKER).toHaveProperty([state, 'stop'])
})

test('a state has a short name, whatever is inside it', () => {
  expect(valueName('idle')).toBe('idle')
  expect(valueName({ ready: 'fresh' })).toBe('ready.fresh')
  expect(valueName({ connected: { reading: 'paused', service: 'serving' } })).toBe(
    'connected(reading.paused service.serving)',
  )
})
