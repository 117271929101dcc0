import { CLOSE_CODES, retryOf, type WireError } from '@sluice/protocol'
import { type Chart, eventOf } from './chart.ts'
import type { ConnectionTimings } from './states.ts'

export const CONNECTION_TIMINGS: Readonly<ConnectionTimings> = Object.freeze({
  connectTimeoutMs: 10_000,
  helloTimeoutMs: 10_000,
  backoffMs: 250,
  backoffMsMax: 10_000,
  stableMs: 10_000,
})

export interface ConnectionInput {
  timings: ConnectionTimings
  /** Draws uniformly from [0, 1). */
  random: () => number
}

export type ConnectionEvent =
  | { type: 'start' }
  | { type: 'opened' }
  | { type: 'welcomed'; session: string }
  /** `error` is the peer's last error, if it sent one. */
  | { type: 'closed'; code: number; reason: string; error?: WireError | undefined }
  /** Nothing was heard for too long. The socket may report that it is open and still be dead. */
  | { type: 'silent' }
  | { type: 'drain'; retryAfterMs: number }
  /** After `drain`: this side no longer needs this connection. */
  | { type: 'drained' }
  /** The network or the page is back, so the next attempt need not wait. */
  | { type: 'wake' }
  | { type: 'stop' }

export interface ConnectionContext extends ConnectionInput {
  /** Failed attempts since the last stable connection. */
  failures: number
  /** The session to resume; null before the first welcome. */
  session: string | null
  /** The delay that the peer asked for before the next attempt. */
  retryAfterMs: number
  /** The back-off of the current wait. */
  delayMs: number
  /** The part of it that the peer asked for. A peer's wish is not cut short. */
  askedMs: number
  /** Why the last connection ended. */
  error: WireError | null
}

/** Used if the code's retry is `after` and the peer gave no delay. */
const RETRY_AFTER_MS = 1000

function closeEntry(code: number): { name: string; retry: 'no' | 'yes' | 'after' } {
  return (CLOSE_CODES as Record<number, { name: string; retry: 'no' | 'yes' | 'after' }>)[code] ?? CLOSE_CODES[1006]
}

/** The error that a close code stands for. */
function closeError(code: number, reason: string): WireError {
  const { name } = closeEntry(code)
  const known = name === 'normal' || name === 'going_away' || name === 'abnormal' ? 'internal' : name
  // No close was received, so its reason is what the runtime says of the connection.
  if (code === 1006 && reason !== '') return { code: 'internal', message: reason }
  return {
    code: known as WireError['code'],
    message: `the connection was closed with ${code} (${name})${reason === '' ? '' : `: ${reason}`}`,
  }
}

/**
 * Full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS 2015) on top of the delay that the peer asked for.
 * That delay is a minimum; the jitter above it keeps clients that were sent away together from returning together.
 */
export function backoffDelayMs(timings: ConnectionTimings, failures: number, retryAfterMs: number, draw: number) {
  const span = Math.min(timings.backoffMsMax, timings.backoffMs * 2 ** Math.min(failures, 30))
  return retryAfterMs + Math.floor(draw * span)
}

/**
 * One side's connection to a broker. The owner provides `openSocket`, `closeSocket` and `sendHello` and sends the
 * events. The chart owns every deadline of the control plane.
 */
export const CONNECTION: Chart<ConnectionContext, ConnectionInput, ConnectionEvent> = {
  id: 'connection',
  context: (input) => ({
    ...input,
    failures: 0,
    session: null,
    retryAfterMs: 0,
    delayMs: 0,
    askedMs: 0,
    error: null,
  }),
  effects: ['openSocket', 'closeSocket', 'sendHello'],
  assigns: {
    forgetError: () => ({ error: null }),
    forgetFailures: () => ({ failures: 0 }),
    keepSession: (_, event) => ({ session: eventOf(event, 'welcomed').session }),
    keepWish: (_, event) => ({ retryAfterMs: eventOf(event, 'drain').retryAfterMs }),
    drawBackoff: (context) => ({
      delayMs: backoffDelayMs(context.timings, context.failures, context.retryAfterMs, context.random()),
      failures: context.failures + 1,
      askedMs: context.retryAfterMs,
      retryAfterMs: 0,
    }),
    rememberClose: (_, event) => {
      const { code, reason, error = closeError(code, reason) } = eventOf(event, 'closed')
      const retryAfterMs = closeEntry(code).retry === 'after' ? RETRY_AFTER_MS : 0
      return { error, retryAfterMs: error.retryAfterMs ?? retryAfterMs }
    },
    rememberTimeout: (_, __, params: { message: string }) => ({
      error: { code: 'heartbeat_timeout', message: params.message },
    }),
  },
  guards: {
    mayHurry: ({ askedMs }) => askedMs === 0,
    isFinal: (_, event) => {
      const { code, error } = eventOf(event, 'closed')
      return (error === undefined ? closeEntry(code).retry : retryOf(error.code)) === 'no'
    },
  },
  delays: {
    connectTimeoutMs: ({ timings }) => timings.connectTimeoutMs,
    helloTimeoutMs: ({ timings }) => timings.helloTimeoutMs,
    stableMs: ({ timings }) => timings.stableMs,
    backoffMs: ({ delayMs }) => delayMs,
  },
  root: {
    initial: 'idle',
    states: {
      idle: {
        on: { start: 'connecting', stop: 'stopped' },
      },
      connecting: {
        entry: ['forgetError', 'openSocket'],
        on: {
          opened: 'handshaking',
          closed: [
            { guard: 'isFinal', actions: 'rememberClose', target: 'failed' },
            { actions: 'rememberClose', target: 'backingOff' },
          ],
          stop: { actions: { type: 'closeSocket', params: { code: 1000, reason: '' } }, target: 'stopped' },
        },
        after: {
          connectTimeoutMs: {
            actions: [
              { type: 'rememberTimeout', params: { message: 'the connection did not open in time' } },
              { type: 'closeSocket', params: { code: 1000, reason: 'connect timeout' } },
            ],
            target: 'backingOff',
          },
        },
      },
      handshaking: {
        entry: 'sendHello',
        on: {
          welcomed: {
            actions: 'keepSession',
            target: 'ready',
          },
          closed: [
            { guard: 'isFinal', actions: 'rememberClose', target: 'failed' },
            { actions: 'rememberClose', target: 'backingOff' },
          ],
          stop: { actions: { type: 'closeSocket', params: { code: 1000, reason: '' } }, target: 'stopped' },
        },
        after: {
          helloTimeoutMs: {
            actions: [
              { type: 'rememberTimeout', params: { message: 'the broker did not answer hello in time' } },
              { type: 'closeSocket', params: { code: 1000, reason: 'hello timeout' } },
            ],
            target: 'backingOff',
          },
        },
      },
      ready: {
        initial: 'fresh',
        states: {
          // A connection that is lost again soon must not make the next attempt come sooner.
          fresh: { after: { stableMs: { actions: 'forgetFailures', target: 'stable' } } },
          stable: {},
        },
        on: {
          drain: { actions: 'keepWish', target: 'draining' },
          silent: {
            actions: [
              { type: 'rememberTimeout', params: { message: 'nothing was heard from the broker for too long' } },
              { type: 'closeSocket', params: { code: 4007, reason: 'heartbeat_timeout' } },
            ],
            target: 'backingOff',
          },
          closed: [
            { guard: 'isFinal', actions: 'rememberClose', target: 'failed' },
            { actions: 'rememberClose', target: 'backingOff' },
          ],
          stop: { actions: { type: 'closeSocket', params: { code: 1000, reason: '' } }, target: 'stopped' },
        },
      },
      // The broker is leaving. Work that has begun may still be settled here; nothing new begins.
      draining: {
        on: {
          drained: {
            actions: { type: 'closeSocket', params: { code: 1001, reason: 'drained' } },
            target: 'backingOff',
          },
          silent: {
            actions: { type: 'closeSocket', params: { code: 4007, reason: 'heartbeat_timeout' } },
            target: 'backingOff',
          },
          // Whatever the close code: the broker has said before that the client should return.
          closed: 'backingOff',
          stop: { actions: { type: 'closeSocket', params: { code: 1000, reason: '' } }, target: 'stopped' },
        },
      },
      backingOff: {
        entry: 'drawBackoff',
        on: { wake: { guard: 'mayHurry', target: 'connecting' }, stop: 'stopped' },
        after: { backoffMs: 'connecting' },
      },
      /** The broker would give the same answer next time. `context.error` says why. */
      failed: { type: 'final' },
      stopped: { type: 'final' },
    },
  },
}
