/**
 * Every error code and close code of the wire. PROTOCOL.md lists the same table, and a test compares them.
 *
 * `retry` tells a program what to do with the same request:
 * - `no`: it will be refused again; change it or give up.
 * - `yes`: send it again, with back-off.
 * - `after`: send it again no sooner than `retryAfterMs` from now.
 */
export type Retry = 'no' | 'yes' | 'after'

interface ErrorEntry {
  readonly retry: Retry
  readonly meaning: string
}

export const ERRORS = {
  bad_frame: { retry: 'no', meaning: 'The bytes are not a frame of this protocol.' },
  bad_message: {
    retry: 'no',
    meaning: 'A message has an unknown type, or a field that is missing or of the wrong type.',
  },
  too_large: { retry: 'no', meaning: 'A field, message, body or frame is past the limit named in the error.' },
  unsupported_version: { retry: 'no', meaning: 'None of the offered protocol versions is spoken here.' },
  unauthorized: { retry: 'no', meaning: 'The token is missing or not accepted.' },
  token_expired: { retry: 'no', meaning: 'The token was accepted once and has expired: come back with a new one.' },
  not_permitted: {
    retry: 'no',
    meaning: 'The token has no scope for this, or the session did not announce the role that this message needs.',
  },
  hello_expected: { retry: 'no', meaning: 'The first message of a connection has to be hello.' },
  hello_timeout: { retry: 'yes', meaning: 'No hello arrived in time.' },
  busy: { retry: 'after', meaning: 'A bound is reached: try again after retryAfterMs.' },
  draining: { retry: 'after', meaning: 'The broker is leaving: reconnect after retryAfterMs.' },
  read_only: {
    retry: 'after',
    meaning: 'The journal failed, so nothing new is accepted until an operator restarts the broker.',
  },
  id_conflict: { retry: 'no', meaning: 'A task with this id exists with other content.' },
  unknown_task: { retry: 'no', meaning: 'No task with this id is held: never submitted, or its record has expired.' },
  task_finished: { retry: 'no', meaning: 'The task already has its outcome.' },
  lease_lost: {
    retry: 'no',
    meaning: 'The lease is not held by this session any more: expired, cancelled or granted anew.',
  },
  slow_reader: {
    retry: 'yes',
    meaning: 'The connection did not read what it was sent and its buffer reached the hard cap.',
  },
  session_replaced: { retry: 'no', meaning: 'Another connection resumed this session.' },
  heartbeat_timeout: { retry: 'yes', meaning: 'Nothing was heard from the peer for too long.' },
  internal: { retry: 'yes', meaning: 'The broker failed; its log says why.' },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERRORS

/** An error on the wire: inside `error`, inside a verdict, and as the JSON body of an HTTP error. */
export interface WireError {
  code: ErrorCode
  /** For people: what is wrong and what to do next. */
  message: string
  /** The path of the field at fault, such as `messages[0].ids[3]`. */
  field?: string
  /** The limit that was exceeded, in the field's unit. */
  limit?: number
  /** Milliseconds to wait. Always present if the code's `retry` is `after`. */
  retryAfterMs?: number
}

/** WebSocket close codes (4000–4999 are free for applications, RFC 6455 §7.4.2) and the error each one stands for. */
export const CLOSE_CODES = {
  1000: { name: 'normal', retry: 'no' },
  1001: { name: 'going_away', retry: 'yes' },
  1006: { name: 'abnormal', retry: 'yes' },
  1009: { name: 'too_large', retry: 'no' },
  4000: { name: 'bad_frame', retry: 'no' },
  4001: { name: 'unauthorized', retry: 'no' },
  4002: { name: 'unsupported_version', retry: 'no' },
  4003: { name: 'hello_timeout', retry: 'yes' },
  4004: { name: 'slow_reader', retry: 'yes' },
  4005: { name: 'session_replaced', retry: 'no' },
  4006: { name: 'draining', retry: 'after' },
  4007: { name: 'heartbeat_timeout', retry: 'yes' },
  4008: { name: 'busy', retry: 'after' },
  4009: { name: 'internal', retry: 'yes' },
  4010: { name: 'token_expired', retry: 'no' },
} as const satisfies Record<number, { name: string; retry: Retry }>

export type CloseCode = keyof typeof CLOSE_CODES

/** Whether a request refused with this code may be sent again. */
export function retryOf(code: ErrorCode): Retry {
  return ERRORS[code].retry
}
