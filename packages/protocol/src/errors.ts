/**
 * Every error code and close code of the wire. `error-meanings.ts` says what each one means; it is apart because no page needs
 * it. PROTOCOL.md lists the same table, and a test compares them.
 *
 * `retry` tells a program what to do with the same request:
 * - `no`: it will be refused again; change it or give up.
 * - `yes`: send it again, with back-off.
 * - `after`: send it again no sooner than `retryAfterMs` from now.
 */
export type Retry = 'no' | 'yes' | 'after'

export const ERRORS = {
  bad_frame: { retry: 'no' },
  bad_message: { retry: 'no' },
  too_large: { retry: 'no' },
  unsupported_version: { retry: 'no' },
  unauthorized: { retry: 'no' },
  token_expired: { retry: 'no' },
  not_permitted: { retry: 'no' },
  hello_expected: { retry: 'no' },
  hello_timeout: { retry: 'yes' },
  busy: { retry: 'after' },
  draining: { retry: 'after' },
  read_only: { retry: 'after' },
  id_conflict: { retry: 'no' },
  unknown_task: { retry: 'no' },
  task_finished: { retry: 'no' },
  lease_lost: { retry: 'no' },
  slow_reader: { retry: 'yes' },
  session_replaced: { retry: 'no' },
  heartbeat_timeout: { retry: 'yes' },
  internal: { retry: 'yes' },
} as const satisfies Record<string, { readonly retry: Retry }>

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
