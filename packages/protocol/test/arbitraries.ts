import fc from 'fast-check'
import { ERRORS, type ErrorCode, type WireError } from '../src/errors.ts'
import { ATTEMPTS_MAX, DEFAULT_LIMITS, DURATION_MS_MAX, LEASE_MS_MAX, LEASE_MS_MIN } from '../src/limits.ts'
import type { BrokerMessage, ClientMessage, TaskFailure } from '../src/messages.ts'

const limits = DEFAULT_LIMITS
const LIST = { maxLength: 4 }

/** `optional` in the sense of the wire: absent, never `undefined`. */
function partial<R extends object, O extends object>(
  required: { [K in keyof R]: fc.Arbitrary<R[K]> },
  optional: { [K in keyof O]: fc.Arbitrary<O[K]> },
): fc.Arbitrary<R & Partial<O>> {
  return fc.record({ ...required, ...optional } as Record<string, fc.Arbitrary<unknown>>, {
    requiredKeys: Object.keys(required),
    noNullPrototype: true,
  }) as unknown as fc.Arbitrary<R & Partial<O>>
}

const literal = fc.constant
const counter = fc.oneof(fc.nat(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER))
const duration = fc.integer({ min: 0, max: DURATION_MS_MAX })
const label = (maxLength: number) => fc.string({ unit: 'grapheme', maxLength }).filter((s) => s.length <= maxLength)
export const taskId = fc.uuid({ version: 7 })
const taskIds = fc.array(taskId, LIST)
const counters = fc.array(counter, LIST)
const queue = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,40}$/)
const progress = fc
  .jsonValue({ maxDepth: 3, stringUnit: 'grapheme' })
  .filter((value) => {
    const json = JSON.stringify(value)
    return json.length < 300 && !json.includes('__proto__')
  })
  // JSON has one zero.
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown)

const jsonBytes = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => ({ bytes: new TextEncoder().encode(JSON.stringify(value)) }))
const body = fc.oneof(
  jsonBytes,
  fc.record({ bytes: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({
    bytes: fc.uint8Array({ maxLength: 300 }),
    contentType: fc.constantFrom('application/octet-stream', 'text/plain; charset=utf-8', 'image/png'),
  }),
)
const withBody = <T extends object>(item: fc.Arbitrary<T>) =>
  fc.tuple(item, body).map(([fields, stated]) => ({ ...fields, ...stated }))

const failure: fc.Arbitrary<TaskFailure> = partial({ message: label(60) }, { name: label(30), stack: label(200) })
const code = fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[]))
const wireError: fc.Arbitrary<WireError> = partial(
  { code, message: label(60) },
  { field: label(30), limit: counter, retryAfterMs: duration },
)
const refused = fc.array(fc.record({ index: counter, error: wireError }), LIST)
const deadReason = fc.constantFrom('attempts_exhausted', 'not_retryable', 'expired', 'lease_expired')

const retry = partial(
  { kind: fc.constantFrom('none', 'fixed', 'exponential') },
  {
    attemptsMax: fc.integer({ min: 1, max: ATTEMPTS_MAX }),
    delayMs: duration,
    delayMsMax: duration,
    jitter: fc.constantFrom('full', 'none'),
  },
)
const leaseMs = fc.integer({ min: LEASE_MS_MIN, max: LEASE_MS_MAX })
const options = partial(
  {},
  {
    priority: fc.integer({ min: 0, max: 9 }),
    delayMs: duration,
    ttlMs: duration,
    leaseMs,
    timeLimitMs: duration,
    resultTtlMs: duration,
    retry,
  },
)

export const clientMessage = fc.oneof(
  partial(
    {
      type: literal('hello'),
      versions: fc.array(fc.integer({ min: 1, max: 65_535 }), { minLength: 1, maxLength: 16 }),
      roles: fc.constantFrom(['producer'], ['worker'], ['producer', 'worker']),
    },
    { name: label(40), token: label(40), resume: fc.record({ session: label(40), leases: counters }) },
  ),
  partial(
    { type: literal('submit'), ref: counter, queue, tasks: fc.array(withBody(fc.record({ id: taskId })), LIST) },
    { options, watch: fc.boolean() },
  ),
  fc.record({
    type: literal('credit'),
    credit: fc.integer({ min: 0, max: limits.creditMax }),
    queues: fc.array(queue, LIST),
  }),
  fc.record({ type: literal('heartbeat'), ref: counter, leases: counters }),
  fc.record({
    type: literal('reportProgress'),
    updates: fc.array(fc.record({ lease: counter, progress }), LIST),
  }),
  fc.record({
    type: literal('complete'),
    ref: counter,
    results: fc.array(withBody(fc.record({ lease: counter })), LIST),
  }),
  fc.record({
    type: literal('fail'),
    ref: counter,
    failures: fc.array(
      partial({ lease: counter, error: failure }, { retryable: fc.boolean(), retryAfterMs: duration }),
      LIST,
    ),
  }),
  fc.record({ type: literal('release'), ref: counter, leases: counters }),
  fc.record({ type: literal('cancel'), ref: counter, ids: taskIds }),
  fc.record({ type: literal('query'), ref: counter, ids: taskIds }),
  fc.record({ type: literal('watch'), ref: counter, ids: taskIds }),
  fc.record({ type: literal('unwatch'), ids: taskIds }),
  fc.record({ type: literal('bye') }),
  fc.record({ type: literal('ping'), ref: counter }),
  fc.record({ type: literal('pong'), ref: counter }),
) as fc.Arbitrary<ClientMessage>

export const brokerMessage = fc.oneof(
  fc.record({
    type: literal('welcome'),
    version: literal(1),
    session: label(40),
    resumed: fc.boolean(),
    lostLeases: counters,
    submitCredit: counter,
    heartbeatMs: duration,
    graceMs: duration,
    durability: fc.constantFrom('strict', 'relaxed', 'memory'),
    limits: literal({ ...limits, frameBytesMax: 12_345 }),
  }),
  fc.record({ type: literal('submitted'), ref: counter, refused }),
  fc.record({ type: literal('submitCredit'), credit: counter }),
  partial(
    {
      type: literal('deliver'),
      queue,
      leaseMs,
      tasks: fc.array(
        withBody(fc.record({ id: taskId, lease: counter, attempt: fc.integer({ min: 1, max: 1000 }) })),
        LIST,
      ),
    },
    { timeLimitMs: duration },
  ),
  fc.record({ type: literal('renewed'), ref: counter, lost: counters }),
  fc.record({ type: literal('settled'), ref: counter, refused }),
  fc.record({ type: literal('revoke'), leases: counters, reason: fc.constantFrom('cancelled', 'expired') }),
  fc.record({ type: literal('cancelled'), ref: counter, refused }),
  partial(
    {
      type: literal('status'),
      ref: counter,
      tasks: fc.array(
        partial(
          {
            id: taskId,
            state: fc.constantFrom('delayed', 'ready', 'leased', 'succeeded', 'dead', 'cancelled', 'unknown'),
          },
          {
            queue,
            attempts: counter,
            progress,
            ageMs: counter,
            readyInMs: duration,
            reason: deadReason,
            error: failure,
          },
        ),
        LIST,
      ),
    },
    { more: fc.boolean() },
  ),
  fc.record({ type: literal('watched'), ref: counter, unknown: counters }),
  fc.record({
    type: literal('outcome'),
    tasks: fc.array(
      fc.oneof(
        withBody(fc.record({ id: taskId, status: literal('succeeded'), attempts: counter })),
        partial(
          {
            id: taskId,
            status: fc.constantFrom('dead', 'cancelled'),
            attempts: counter,
            bytes: literal(new Uint8Array(0)),
          },
          { reason: deadReason, error: failure },
        ),
      ),
      LIST,
    ),
  }),
  fc.record({ type: literal('progress'), tasks: fc.array(fc.record({ id: taskId, progress }), LIST) }),
  fc.record({ type: literal('drain'), retryAfterMs: duration }),
  fc.record({ type: literal('ping'), ref: counter }),
  fc.record({ type: literal('pong'), ref: counter }),
  partial(
    { type: literal('error'), code, message: label(60) },
    { field: label(30), limit: counter, retryAfterMs: duration, ref: counter },
  ),
) as fc.Arbitrary<BrokerMessage>
