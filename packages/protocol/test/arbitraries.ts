import fc from 'fast-check'
import { Bodies } from '../src/bodies.ts'
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
const taskName = fc.oneof(fc.record({ id: taskId }), fc.record({ ref: counter, index: counter }))
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
  .jsonValue({ maxDepth: 3, stringUnit: 'grapheme' })
  .map((value) => new TextEncoder().encode(JSON.stringify(value)))
const anyBytes = fc.uint8Array({ maxLength: 300 })
const contentType = fc.constantFrom('application/octet-stream', 'text/plain; charset=utf-8', 'image/png')

/** Bodies of `bytes`, now and then cut into pieces elsewhere than where a body ends. */
function bodiesOf(bytes: Uint8Array[], cut: boolean): Bodies {
  const lengths = bytes.map(({ length }) => length)
  if (!cut) return Bodies.ofPieces(bytes, lengths)
  const all = Uint8Array.from(bytes.flatMap((one) => [...one]))
  const middle = all.length >> 1
  return Bodies.ofPieces([all.subarray(0, middle), all.subarray(middle)], lengths)
}

/** A message of `columns`, each with as many items as there are bodies. */
function withBodies<M extends object>(
  fields: fc.Arbitrary<M>,
  columns: { [name: string]: fc.Arbitrary<unknown> },
  optional: string[] = [],
) {
  return fc.integer({ min: 0, max: LIST.maxLength }).chain((count) => {
    const column = (item: fc.Arbitrary<unknown>) => fc.array(item, { minLength: count, maxLength: count })
    const lists = fc.record(Object.fromEntries(Object.entries(columns).map(([name, item]) => [name, column(item)])), {
      requiredKeys: Object.keys(columns).filter((name) => !optional.includes(name)),
      noNullPrototype: true,
    })
    const bytes = fc.oneof(column(jsonBytes), column(anyBytes)) as fc.Arbitrary<Uint8Array[]>
    const texts = column(fc.jsonValue({ maxDepth: 3, stringUnit: 'grapheme' })).map((values) =>
      Bodies.ofTexts(values.map((value) => JSON.stringify(value))),
    )
    const bodies = fc.oneof(
      fc.record({ bodies: texts }),
      fc.record({ bodies: fc.tuple(bytes, fc.boolean()).map(([all, cut]) => bodiesOf(all, cut)) }),
      fc.record({ contentType, bodies: bytes.map((all) => bodiesOf(all, false)) }),
    )
    return fc.tuple(fields, lists, bodies).map(([some, more, rest]) => ({ ...some, ...more, ...rest }))
  })
}

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

const labels = fc.dictionary(fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,63}$/), label(40), {
  maxKeys: 6,
  noNullPrototype: true,
})

export const clientMessage = fc.oneof(
  partial(
    {
      type: literal('hello'),
      versions: fc.array(fc.integer({ min: 1, max: 65_535 }), { minLength: 1, maxLength: 16 }),
      roles: fc.constantFrom(['producer'], ['worker'], ['producer', 'worker']),
    },
    {
      name: label(40),
      labels,
      token: label(40),
      begins: literal(true),
      resume: partial({ session: label(40), leases: counters }, { begun: counter }),
    },
  ),
  withBodies(partial({ type: literal('submit'), ref: counter, queue }, { options, watch: fc.boolean() }), {
    ids: taskId,
  }),
  fc.record({
    type: literal('credit'),
    credit: fc.integer({ min: 0, max: limits.creditMax }),
    queues: fc.array(queue, LIST),
  }),
  fc.record({ type: literal('begin'), lease: counter }),
  fc.record({ type: literal('heartbeat'), ref: counter, leases: counters }),
  fc.record({
    type: literal('reportProgress'),
    updates: fc.array(fc.record({ lease: counter, progress }), LIST),
  }),
  withBodies(fc.record({ type: literal('complete'), ref: counter }), { leases: counter }),
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
  fc.record({ type: literal('renew'), ref: counter, token: label(40) }),
  fc.record({ type: literal('ping'), ref: counter }),
  fc.record({ type: literal('pong'), ref: counter }),
) as fc.Arbitrary<ClientMessage>

export const brokerMessage = fc.oneof(
  partial(
    {
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
    },
    { begins: literal(true), tokenExpiresInMs: duration },
  ),
  fc.record({ type: literal('tokenExpiring'), inMs: duration }),
  fc.record({ type: literal('tokenRenewed'), ref: counter, expiresInMs: duration }),
  fc.record({ type: literal('submitted'), ref: counter, refused }),
  withBodies(
    partial(
      { type: literal('deliver'), queue, leaseMs },
      { timeLimitMs: duration, start: fc.constantFrom('announced', 'alone') },
    ),
    { ids: taskId, leases: counter, attempts: fc.integer({ min: 1, max: 1000 }) },
    ['attempts'],
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
  withBodies(fc.record({ type: literal('succeeded') }), { ids: taskId }),
  withBodies(fc.record({ type: literal('succeeded'), ref: counter }), { indexes: counter }),
  fc.record({
    type: literal('ended'),
    tasks: fc.array(
      fc
        .tuple(
          taskName,
          partial(
            { status: fc.constantFrom('dead', 'cancelled', 'forgotten'), attempts: counter },
            { reason: deadReason, error: failure },
          ),
        )
        .map(([name, end]) => ({ ...name, ...end })),
      LIST,
    ),
  }),
  fc.record({
    type: literal('progress'),
    tasks: fc.array(
      fc.tuple(taskName, fc.record({ progress })).map(([name, told]) => ({ ...name, ...told })),
      LIST,
    ),
  }),
  fc.record({ type: literal('drain'), retryAfterMs: duration }),
  fc.record({ type: literal('ping'), ref: counter }),
  fc.record({ type: literal('pong'), ref: counter }),
  partial(
    { type: literal('error'), code, message: label(60) },
    { field: label(30), limit: counter, retryAfterMs: duration, ref: counter },
  ),
) as fc.Arbitrary<BrokerMessage>

/** A message with its bodies as their bytes in latin1, for comparison. */
export function settled(message: object): object {
  if (!('bodies' in message)) return message
  const bodies = message.bodies as Bodies
  return { ...message, bodies: bodies.lengths.map((_, index) => new TextDecoder('latin1').decode(bodies.at(index))) }
}
