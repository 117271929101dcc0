import fc from 'fast-check'
import { expect, test } from 'vitest'
import { getShortestPaths } from 'xstate/graph'
import {
  backoffDelayMs,
  CONNECTION_TIMINGS,
  type ConnectionEvent,
  connectionMachine,
  creditOf,
  producerMachine,
  type WorkerState,
  workerMachine,
} from '../src/index.ts'

test('a back-off lies between the wish and the wish plus the span, and the span stops at its cap', () => {
  fc.assert(
    fc.property(
      fc.nat(10_000),
      fc.nat(100_000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (failures, wishMs, draw) => {
        const delayMs = backoffDelayMs(CONNECTION_TIMINGS, failures, wishMs, draw)
        const span = Math.min(CONNECTION_TIMINGS.backoffMsMax, CONNECTION_TIMINGS.backoffMs * 2 ** failures)
        expect(delayMs).toBeGreaterThanOrEqual(wishMs)
        expect(delayMs).toBeLessThan(wishMs + span)
      },
    ),
  )
})

const events: ConnectionEvent[] = [
  { type: 'start' },
  { type: 'opened' },
  { type: 'welcomed', session: 's' },
  { type: 'closed', code: 1006, reason: '' },
  { type: 'closed', code: 4001, reason: '' },
  { type: 'closed', code: 1006, reason: '', error: { code: 'unauthorized', message: 'no' } },
  { type: 'closed', code: 4008, reason: '', error: { code: 'busy', message: 'full', retryAfterMs: 70 } },
  { type: 'silent' },
  { type: 'drain', retryAfterMs: 5 },
  { type: 'drained' },
  { type: 'stop' },
]
const input = { timings: CONNECTION_TIMINGS, random: () => 0.5 }

const paths = getShortestPaths(connectionMachine, {
  input,
  stopWhen: ({ status }) => status === 'done',
  events: [
    ...events,
    { type: 'xstate.after.connectTimeoutMs.connection.connecting' } as unknown as ConnectionEvent,
    { type: 'xstate.after.backoffMs.connection.backingOff' } as unknown as ConnectionEvent,
  ],
  // Counters grow without end: the walk tells states apart by what decides the next step.
  serializeState: ({ value, context }) =>
    JSON.stringify([value, context.session, context.error?.code, context.retryAfterMs > 0]),
})

test('every state of a connection can be reached, and from each the owner can stop', () => {
  const reached = new Set(paths.map((path) => JSON.stringify(path.state.value).replace(/[{"}]|:.*/g, '')))
  expect([...reached].sort()).toEqual(
    ['backingOff', 'connecting', 'draining', 'failed', 'handshaking', 'idle', 'ready', 'stopped'].sort(),
  )
  for (const { state } of paths) expect(state.status === 'done' || state.can({ type: 'stop' })).toBe(true)
})

test('a refusal for good ends in failed with its reason, and only such a refusal does', () => {
  const failed = paths.filter((path) => path.state.value === 'failed')
  expect(failed.length).toBeGreaterThan(0)
  for (const { state } of failed) expect(state.context.error?.code).toBe('unauthorized')
})

test('a session is resumed in every state after its welcome', () => {
  for (const { state, steps } of paths) {
    const welcomed = steps.some((step) => step.event.type === 'welcomed')
    expect(state.context.session).toBe(welcomed ? 's' : null)
  }
})

test('a producer reaches every state, and closed is the end', () => {
  const walk = getShortestPaths(producerMachine, {
    stopWhen: ({ status }) => status === 'done',
    events: [
      { type: 'connected' },
      { type: 'disconnected' },
      { type: 'drain' },
      { type: 'close', drainMs: 5 },
      { type: 'flushed' },
      { type: 'fail' },
    ],
  })
  expect(new Set(walk.map((path) => path.state.value))).toEqual(
    new Set(['offline', 'online', 'paused', 'closing', 'closed']),
  )
  for (const { state } of walk) expect(state.status).toBe(state.value === 'closed' ? 'done' : 'active')
})

test('a worker asks for work in no state but working', () => {
  const walk = getShortestPaths(workerMachine, {
    stopWhen: ({ status }) => status === 'done',
    input: { creditMax: 10, settleMs: 5 },
    events: [
      { type: 'connected' },
      { type: 'drain', graceMs: 5 },
      { type: 'emptied' },
      { type: 'close' },
      { type: 'fail' },
      { type: 'xstate.after.graceMs.worker.draining' } as never,
    ],
  })
  const states = new Set(walk.map((path) => path.state.value as WorkerState))
  expect(states).toEqual(new Set(['starting', 'working', 'draining', 'aborting', 'stopped']))
  for (const state of states) expect(creditOf(state, 10)).toBe(state === 'working' ? 10 : 0)
})
