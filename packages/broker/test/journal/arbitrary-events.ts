import type { EventOf, EventType, PhaseRecord, SessionRecord, TaskOptions, TaskRecord } from '@sluice/engine'
import fc from 'fast-check'
import type { StoredEvent } from '../../src/journal/event-codec.ts'

const id = fc.uuid()
const text = fc.string({ unit: 'binary', maxLength: 12 })
const name = fc.oneof(fc.constantFrom('photos', 'mail', 'größe', '照片', 'a"b\\c'), text)
const session = fc.oneof(fc.constantFrom('session-1', 'session-2'), fc.uuid())
const count = fc.nat({ max: 2 ** 32 - 1 })
const bytes = fc.nat({ max: 300_000 })
/** Epoch milliseconds and a monotonic clock's fractions. */
const atMs = fc.oneof(
  fc.constantFrom(1_700_000_000_000, 1_700_000_000_001),
  fc.nat({ max: 2 ** 42 }),
  fc.double({ min: 0, max: 2 ** 42, noNaN: true }).filter((ms) => !Object.is(ms, -0)),
)
const ref = fc.maxSafeNat()
const optionalName = fc.option(name, { nil: undefined })
/** JSON has no way to write -0, which becomes 0. */
const json = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)))
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { noNullPrototype: true })
const role = fc.constantFrom('producer' as const, 'worker' as const)
const deadReason = fc.constantFrom<EventOf<'taskDied'>['reason'][]>('attempts_exhausted', 'not_retryable', 'expired')

const optionsValue: fc.Arbitrary<TaskOptions> = record({
  priority: fc.nat({ max: 9 }),
  delayMs: count,
  ttlMs: count,
  leaseMs: count,
  timeLimitMs: count,
  resultTtlMs: count,
  retry: record({
    kind: fc.constantFrom('none' as const, 'fixed' as const, 'exponential' as const),
    attemptsMax: fc.nat({ max: 1000 }),
    delayMs: count,
    delayMsMax: count,
    jitter: fc.constantFrom('full' as const, 'none' as const),
  }),
})
const sharedOptions = fc.sample(optionsValue, { numRuns: 3, seed: 7 })
/** Shared by reference, equal but distinct, or arbitrary. */
const options = fc.oneof(
  fc.constantFrom(...sharedOptions),
  fc.constantFrom(...sharedOptions).map((shared) => structuredClone(shared)),
  optionsValue,
)

const failure = fc.record(
  { message: text, name: text, stack: text },
  { noNullPrototype: true, requiredKeys: ['message'] },
)
const attempt: fc.Arbitrary<EventOf<'attemptFailed'>['attempt']> = fc.record(
  {
    attempt: count,
    endedAtMs: atMs,
    how: fc.constantFrom('failed' as const, 'lease_expired' as const, 'session_lost' as const),
    error: failure,
    cut: fc.constantFrom('stack' as const, 'error' as const, 'history' as const),
  },
  { noNullPrototype: true, requiredKeys: ['attempt', 'endedAtMs', 'how'] },
)
const sessionRecord: fc.Arbitrary<SessionRecord> = fc.record(
  {
    id: session,
    roles: fc.array(role, { maxLength: 2 }),
    owner: name,
    credit: count,
    queues: fc.array(name, { maxLength: 3 }),
    lastLease: count,
    begins: fc.constant(true as const),
    begun: count,
    silence: fc.constantFrom('silent' as const, 'resting' as const),
    expiries: count,
    restUntilMs: atMs,
    graceEndsAtMs: atMs,
  },
  { noNullPrototype: true, requiredKeys: ['id', 'roles', 'credit', 'queues'] },
)

const phase: fc.Arbitrary<PhaseRecord> = fc.oneof<fc.Arbitrary<PhaseRecord>[]>(
  record({ state: fc.constant('delayed' as const), readyAtMs: atMs }),
  record({ state: fc.constant('ready' as const), behind: count }),
  fc.record(
    { state: fc.constant('leased' as const), session, lease: count, expiresAtMs: atMs, endsAtMs: atMs },
    { noNullPrototype: true, requiredKeys: ['state', 'session', 'lease', 'expiresAtMs'] },
  ),
  fc.record(
    { state: fc.constant('succeeded' as const), result: ref, bytes, contentType: name, forgetAtMs: atMs },
    { noNullPrototype: true, requiredKeys: ['state', 'result', 'bytes', 'forgetAtMs'] },
  ),
  fc.record(
    { state: fc.constant('dead' as const), reason: deadReason, error: failure, forgetAtMs: atMs },
    { noNullPrototype: true, requiredKeys: ['state', 'reason', 'forgetAtMs'] },
  ),
  record({ state: fc.constant('cancelled' as const), forgetAtMs: atMs }),
)
const task: fc.Arbitrary<TaskRecord> = fc.record(
  {
    id,
    queue: name,
    options,
    body: ref,
    bytes,
    contentType: name,
    owner: name,
    digest: count,
    seq: fc.maxSafeNat(),
    acceptedAtMs: atMs,
    started: fc.boolean(),
    attempts: count,
    releases: count,
    history: fc.array(attempt, { maxLength: 3 }),
    watchers: fc.array(session, { maxLength: 3 }),
    progress: json,
    phase,
  },
  {
    noNullPrototype: true,
    requiredKeys: [
      'id',
      'queue',
      'options',
      'body',
      'bytes',
      'digest',
      'seq',
      'acceptedAtMs',
      'started',
      'attempts',
      'releases',
      'history',
      'watchers',
      'phase',
    ],
  },
)

/** Numbers of tasks: alone and one after the other. */
const numbers = fc
  .array(fc.tuple(fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 2 ** 50 })), fc.nat({ max: 3 })), { maxLength: 4 })
  .map((runs) => runs.flatMap(([first, more]) => Array.from({ length: more + 1 }, (_, i) => first + i)))

/** Events with lists that are equally long. */
const accepted: fc.Arbitrary<EventOf<'tasksAccepted'>> = fc
  .tuple(
    record({
      type: fc.constant('tasksAccepted' as const),
      queue: name,
      options,
      contentType: optionalName,
      watcher: fc.option(session, { nil: undefined }),
      ref: fc.maxSafeNat(),
      index: count,
      seq: fc.oneof(fc.nat({ max: 5 }), fc.maxSafeNat()),
      body: ref,
      atMs,
    }),
    fc.array(fc.tuple(id, fc.oneof(fc.constant(100), bytes), count), { maxLength: 4 }),
    optionalName,
  )
  .map(([event, items, owner]) => ({
    ...event,
    ...(owner === undefined ? {} : { owner }),
    ids: items.map(([id]) => id),
    bytes: items.map(([, bytes]) => bytes),
    digests: items.map(([, , digest]) => digest),
  }))
const succeeded: fc.Arbitrary<EventOf<'tasksSucceeded'>> = fc
  .tuple(
    record({ type: fc.constant('tasksSucceeded' as const), contentType: optionalName, result: ref, atMs }),
    numbers,
  )
  .map(([event, tasks]) => ({ ...event, tasks, bytes: tasks.map((seq) => (seq % 5 === 0 ? seq % 300 : 100)) }))
const columned = { tasksAccepted: accepted, tasksSucceeded: succeeded }
type Columned = keyof typeof columned

/** An optional field is given as such, so that it is left out at times. */
interface Optional<T> {
  optional: fc.Arbitrary<T>
}
type Field<T> = undefined extends T ? fc.Arbitrary<T> | Optional<NonNullable<T>> : fc.Arbitrary<T>
type Fields<T extends EventType> = { [K in Exclude<keyof EventOf<T>, 'type' | 'atMs'>]-?: Field<EventOf<T>[K]> }

const optional = <T>(arbitrary: fc.Arbitrary<T>): Optional<T> => ({ optional: arbitrary })
const yes = optional(fc.constant(true as const))
const revoked = optional(record({ session, lease: fc.maxSafeNat() }))

/** The fields of every stored event type; a type without an entry, or with a field too few, does not compile. */
const fields: { [T in Exclude<StoredEvent['type'], Columned>]: Fields<T> } = {
  brokerStarted: { epoch: count, nextLease: count },
  checkpointed: {
    epoch: count,
    nextLease: count,
    nextSeq: count,
    sessions: fc.array(sessionRecord, { maxLength: 3 }),
    revocations: optional(fc.array(fc.tuple(name, atMs), { minLength: 1, maxLength: 3 })),
  },
  principalRevoked: { principal: name },
  sessionOpened: { session, roles: fc.array(role, { maxLength: 2 }), begins: yes, owner: optional(name) },
  sessionResumed: { session, begins: yes, begun: optional(fc.maxSafeNat()) },
  sessionDisconnected: { session, graceEndsAtMs: atMs },
  sessionClosed: { session },
  sessionHeard: { session, restUntilMs: atMs },
  sessionRested: { session },
  brokerStalled: { ms: fc.oneof(count, fc.double({ min: 0.1, max: 1e6, noNaN: true })) },
  creditSet: { session, credit: count, queues: fc.array(name, { maxLength: 3 }) },
  taskRestated: { task },
  taskWatched: { id, session },
  taskUnwatched: { id, session },
  taskReadied: { id },
  leasesGranted: {
    session,
    lease: fc.maxSafeNat(),
    tasks: numbers,
    start: optional(fc.constantFrom('announced' as const, 'alone' as const)),
    durable: yes,
  },
  leasesBegun: { session, lease: fc.maxSafeNat() },
  leasesRenewed: { session, leases: fc.array(fc.maxSafeNat(), { maxLength: 4 }) },
  progressReported: { id, progress: json },
  attemptFailed: { id, attempt, retryAtMs: atMs, revoked },
  leaseReleased: {
    id,
    retryAtMs: atMs,
    lost: optional(fc.constantFrom('lease_expired' as const, 'session_lost' as const)),
    revoked,
  },
  taskDied: {
    id,
    reason: deadReason,
    error: fc.option(failure, { nil: undefined }),
    attempt: fc.option(attempt, { nil: undefined }),
    forgetAtMs: atMs,
    revoked,
  },
  taskCancelled: { id, forgetAtMs: atMs, revoked },
  taskRedriven: { id },
  taskForgotten: { id },
  oldestForgotten: { tasks: numbers },
}

export const storedTypes = [...Object.keys(fields), ...Object.keys(columned)] as StoredEvent['type'][]

function isColumned(type: StoredEvent['type']): type is Columned {
  return type in columned
}

export function eventOf(type: StoredEvent['type']): fc.Arbitrary<StoredEvent> {
  if (isColumned(type)) return columned[type]
  const model: Record<string, fc.Arbitrary<unknown>> = { type: fc.constant(type), atMs }
  const requiredKeys = ['type', 'atMs']
  for (const [key, field] of Object.entries(fields[type]) as [string, Field<unknown>][]) {
    const isOptional = 'optional' in field
    model[key] = isOptional ? field.optional : field
    if (!isOptional) requiredKeys.push(key)
  }
  return fc.record(model, { noNullPrototype: true, requiredKeys }) as unknown as fc.Arbitrary<StoredEvent>
}

/** Any stored event, every type equally often. */
export const anyEvent: fc.Arbitrary<StoredEvent> = fc.oneof(...storedTypes.map(eventOf))
