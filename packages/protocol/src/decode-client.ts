import { failureOf, progressAt, queueName, taskIdsAt } from './decode-fields.ts'
import type { FrameBodies } from './frame-bodies.ts'
import { labelsAt } from './labels.ts'
import {
  ATTEMPTS_MAX,
  DURATION_MS_MAX,
  LEASE_MS_MAX,
  LEASE_MS_MIN,
  type Limits,
  PRIORITY_MAX,
  resumedLeasesMax,
  VERSION_MAX,
  VERSIONS_MAX,
} from './limits.ts'
import type { ClientMessage, FailedLease, Hello, RetryPolicy, Submit, SubmitOptions } from './messages.ts'
import {
  badMessage,
  choice,
  choiceAt,
  counterAt,
  countersAt,
  type Fields,
  integer,
  integerAt,
  itemsAt,
  optionalBooleanAt,
  optionalDurationAt,
  optionalIntegerAt,
  optionalTextAt,
  Refusal,
  record,
  recordAt,
  textAt,
  within,
} from './validate.ts'

const ROLES = ['producer', 'worker'] as const
const RETRY_KINDS = ['none', 'fixed', 'exponential'] as const
const JITTERS = ['full', 'none'] as const

/** Decodes one message of a client from the parsed header `fields`. Throws a Refusal. */
export function decodeClientMessage(fields: Fields, limits: Limits, bodies: FrameBodies): ClientMessage {
  switch (fields.type) {
    case 'submit':
      return decodeSubmit(fields, limits, bodies)
    case 'complete': {
      const ref = counterAt(fields, 'ref')
      const leases = countersAt(fields, 'leases', limits.batchItemsMax)
      return { type: 'complete', ref, leases, ...bodies.take(fields, leases.length) }
    }
    case 'heartbeat':
      return {
        type: 'heartbeat',
        ref: counterAt(fields, 'ref'),
        leases: countersAt(fields, 'leases', limits.batchItemsMax),
      }
    case 'credit':
      return {
        type: 'credit',
        credit: integerAt(fields, 'credit', 0, limits.creditMax),
        queues: itemsAt(
          fields,
          'queues',
          limits.sessionQueuesMax,
          (name) => queueName(name, '', limits),
          'sessionQueuesMax',
        ),
      }
    case 'begin':
      return { type: 'begin', lease: counterAt(fields, 'lease') }
    case 'reportProgress':
      return {
        type: 'reportProgress',
        updates: itemsAt(fields, 'updates', limits.batchItemsMax, (item) => {
          const update = record(item)
          return { lease: counterAt(update, 'lease'), progress: progressAt(update, limits) }
        }),
      }
    case 'fail':
      return {
        type: 'fail',
        ref: counterAt(fields, 'ref'),
        failures: itemsAt(fields, 'failures', limits.batchItemsMax, (item) => decodeFailedLease(record(item), limits)),
      }
    case 'release':
      return {
        type: 'release',
        ref: counterAt(fields, 'ref'),
        leases: countersAt(fields, 'leases', limits.batchItemsMax),
      }
    case 'cancel':
      return { type: 'cancel', ref: counterAt(fields, 'ref'), ids: taskIdsAt(fields, limits) }
    case 'query':
      return { type: 'query', ref: counterAt(fields, 'ref'), ids: taskIdsAt(fields, limits) }
    case 'watch':
      return { type: 'watch', ref: counterAt(fields, 'ref'), ids: taskIdsAt(fields, limits) }
    case 'unwatch':
      return { type: 'unwatch', ids: taskIdsAt(fields, limits) }
    case 'hello':
      return decodeHello(fields, limits)
    case 'renew':
      return { type: 'renew', ref: counterAt(fields, 'ref'), token: textAt(fields, 'token', limits.tokenLengthMax) }
    case 'bye':
      return { type: 'bye' }
    case 'ping':
      return { type: 'ping', ref: counterAt(fields, 'ref') }
    case 'pong':
      return { type: 'pong', ref: counterAt(fields, 'ref') }
    default:
      throw badMessage('No client message has this type.', 'type')
  }
}

function decodeSubmit(fields: Fields, limits: Limits, bodies: FrameBodies): Submit {
  const ref = counterAt(fields, 'ref')
  const watch = optionalBooleanAt(fields, 'watch')
  const ids = taskIdsAt(fields, limits)
  const submit: Submit = { type: 'submit', ref, queue: '', ids, ...bodies.take(fields, ids.length) }
  try {
    submit.queue = queueName(fields.queue, 'queue', limits)
    if (fields.options !== undefined) submit.options = decodeOptionsAt(fields)
  } catch (caught) {
    // The frame is in order, and so is what else it says: these tasks alone are refused.
    if (!(caught instanceof Refusal)) throw caught
    submit.fault = caught.toWire()
  }
  if (watch !== undefined) submit.watch = watch
  return submit
}

function decodeOptionsAt(fields: Fields): SubmitOptions {
  const stated = recordAt(fields, 'options')
  try {
    return decodeSubmitOptions(stated)
  } catch (caught) {
    throw within(caught, 'options')
  }
}

/** Decodes the options of a submission into new objects. Throws a Refusal. */
function decodeSubmitOptions(fields: Fields): SubmitOptions {
  const options: SubmitOptions = {}
  const priority = optionalIntegerAt(fields, 'priority', 0, PRIORITY_MAX)
  if (priority !== undefined) options.priority = priority
  const delayMs = optionalDurationAt(fields, 'delayMs')
  if (delayMs !== undefined) options.delayMs = delayMs
  const ttlMs = optionalDurationAt(fields, 'ttlMs')
  if (ttlMs !== undefined) options.ttlMs = ttlMs
  const leaseMs = optionalIntegerAt(fields, 'leaseMs', LEASE_MS_MIN, LEASE_MS_MAX)
  if (leaseMs !== undefined) options.leaseMs = leaseMs
  const timeLimitMs = optionalDurationAt(fields, 'timeLimitMs')
  if (timeLimitMs !== undefined) options.timeLimitMs = timeLimitMs
  const resultTtlMs = optionalDurationAt(fields, 'resultTtlMs')
  if (resultTtlMs !== undefined) options.resultTtlMs = resultTtlMs
  if (fields.retry !== undefined) {
    const retry = recordAt(fields, 'retry')
    try {
      options.retry = decodeRetry(retry)
    } catch (caught) {
      throw within(caught, 'retry')
    }
  }
  return options
}

function decodeRetry(fields: Fields): RetryPolicy {
  const retry: RetryPolicy = { kind: choiceAt(fields, 'kind', RETRY_KINDS) }
  const attemptsMax = optionalIntegerAt(fields, 'attemptsMax', 1, ATTEMPTS_MAX)
  if (attemptsMax !== undefined) retry.attemptsMax = attemptsMax
  const delayMs = optionalDurationAt(fields, 'delayMs')
  if (delayMs !== undefined) retry.delayMs = delayMs
  const delayMsMax = optionalDurationAt(fields, 'delayMsMax')
  if (delayMsMax !== undefined) retry.delayMsMax = delayMsMax
  if (fields.jitter !== undefined) retry.jitter = choiceAt(fields, 'jitter', JITTERS)
  return retry
}

function decodeFailedLease(fields: Fields, limits: Limits): FailedLease {
  const lease = counterAt(fields, 'lease')
  const stated = recordAt(fields, 'error')
  let failed: FailedLease
  try {
    failed = { lease, error: failureOf(stated, limits) }
  } catch (caught) {
    throw within(caught, 'error')
  }
  const retryable = optionalBooleanAt(fields, 'retryable')
  if (retryable !== undefined) failed.retryable = retryable
  const retryAfterMs = optionalIntegerAt(fields, 'retryAfterMs', 0, DURATION_MS_MAX)
  if (retryAfterMs !== undefined) failed.retryAfterMs = retryAfterMs
  return failed
}

function decodeHello(fields: Fields, limits: Limits): Hello {
  const versions = itemsAt(fields, 'versions', VERSIONS_MAX, (version) => integer(version, '', 1, VERSION_MAX))
  if (versions.length === 0) throw badMessage('At least one version is needed here.', 'versions')
  const roles = itemsAt(fields, 'roles', ROLES.length, (role) => choice(role, '', ROLES))
  if (roles.length === 0) throw badMessage('At least one role is needed here.', 'roles')
  const hello: Hello = { type: 'hello', versions, roles }
  const name = optionalTextAt(fields, 'name', limits.nameLengthMax)
  if (name !== undefined) hello.name = name
  if (fields.labels !== undefined) hello.labels = labelsAt(fields)
  const token = optionalTextAt(fields, 'token', limits.tokenLengthMax)
  if (token !== undefined) hello.token = token
  if (optionalBooleanAt(fields, 'begins')) hello.begins = true
  if (fields.resume !== undefined) {
    const resume = recordAt(fields, 'resume')
    try {
      hello.resume = {
        session: textAt(resume, 'session', limits.nameLengthMax),
        leases: countersAt(resume, 'leases', resumedLeasesMax(limits)),
      }
      if (resume.begun !== undefined) hello.resume.begun = counterAt(resume, 'begun')
    } catch (caught) {
      throw within(caught, 'resume')
    }
  }
  return hello
}
