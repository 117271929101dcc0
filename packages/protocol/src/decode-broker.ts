import { failureOf, progressAt, queueName, taskIdAt, taskIdsAt, taskNameOf } from './decode-fields.ts'
import { ERRORS, type ErrorCode, type WireError } from './errors.ts'
import type { FrameBodies } from './frame-bodies.ts'
import { DEFAULT_LIMITS, LEASE_MS_MAX, LEASE_MS_MIN, type Limits, resumedLeasesMax, VERSION_MAX } from './limits.ts'
import type {
  BrokerMessage,
  Deliver,
  EndedTask,
  ErrorMessage,
  Start,
  Status,
  Succeeded,
  TaskStatus,
  Welcome,
} from './messages.ts'
import {
  badMessage,
  booleanAt,
  choiceAt,
  counterAt,
  countersAt,
  durationAt,
  type Fields,
  integer,
  integerAt,
  itemsAt,
  optionalBooleanAt,
  optionalDurationAt,
  optionalIntegerAt,
  record,
  recordAt,
  text,
  textAt,
  within,
} from './validate.ts'

const DURABILITIES = ['strict', 'relaxed', 'memory'] as const
const ENDED_STATUSES = ['dead', 'cancelled', 'forgotten'] as const
const TASK_STATES = ['delayed', 'ready', 'leased', 'succeeded', 'dead', 'cancelled', 'unknown'] as const
const DEAD_REASONS = ['attempts_exhausted', 'not_retryable', 'expired', 'lease_expired'] as const
const REVOKE_REASONS = ['cancelled', 'expired'] as const

/** Decodes one message of a broker from the parsed header `fields`. Throws a Refusal. */
export function decodeBrokerMessage(fields: Fields, limits: Limits, bodies: FrameBodies): BrokerMessage {
  switch (fields.type) {
    case 'deliver':
      return decodeDeliver(fields, limits, bodies)
    case 'succeeded':
      return decodeSucceeded(fields, limits, bodies)
    case 'ended':
      return {
        type: 'ended',
        tasks: itemsAt(fields, 'tasks', limits.batchItemsMax, (item) => decodeEnded(record(item), limits)),
      }
    case 'submitted':
      return { type: 'submitted', ref: counterAt(fields, 'ref'), refused: refusedAt(fields, limits) }
    case 'settled':
      return { type: 'settled', ref: counterAt(fields, 'ref'), refused: refusedAt(fields, limits) }
    case 'cancelled':
      return { type: 'cancelled', ref: counterAt(fields, 'ref'), refused: refusedAt(fields, limits) }
    case 'renewed':
      return {
        type: 'renewed',
        ref: counterAt(fields, 'ref'),
        lost: countersAt(fields, 'lost', limits.batchItemsMax),
      }
    case 'revoke':
      return {
        type: 'revoke',
        leases: countersAt(fields, 'leases', limits.batchItemsMax),
        reason: choiceAt(fields, 'reason', REVOKE_REASONS),
      }
    case 'progress':
      return {
        type: 'progress',
        tasks: itemsAt(fields, 'tasks', limits.batchItemsMax, (item) => {
          const update = record(item)
          return { ...taskNameOf(update), progress: progressAt(update, limits) }
        }),
      }
    case 'status': {
      const ref = counterAt(fields, 'ref')
      const more = optionalBooleanAt(fields, 'more')
      const tasks = itemsAt(fields, 'tasks', limits.batchItemsMax, (item) => decodeTaskStatus(record(item), limits))
      const status: Status = { type: 'status', ref, tasks }
      if (more !== undefined) status.more = more
      return status
    }
    case 'watched':
      return {
        type: 'watched',
        ref: counterAt(fields, 'ref'),
        unknown: countersAt(fields, 'unknown', limits.batchItemsMax),
      }
    case 'tokenExpiring':
      return { type: 'tokenExpiring', inMs: durationAt(fields, 'inMs') }
    case 'tokenRenewed':
      return {
        type: 'tokenRenewed',
        ref: counterAt(fields, 'ref'),
        expiresInMs: durationAt(fields, 'expiresInMs'),
      }
    case 'drain':
      return { type: 'drain', retryAfterMs: durationAt(fields, 'retryAfterMs') }
    case 'ping':
      return { type: 'ping', ref: counterAt(fields, 'ref') }
    case 'pong':
      return { type: 'pong', ref: counterAt(fields, 'ref') }
    case 'error': {
      const error = wireErrorOf(fields, limits)
      const message: ErrorMessage = { type: 'error', ...error }
      if (fields.ref !== undefined) message.ref = counterAt(fields, 'ref')
      return message
    }
    case 'welcome':
      return decodeWelcome(fields, limits)
    default:
      throw badMessage('No broker message has this type.', 'type')
  }
}

function decodeDeliver(fields: Fields, limits: Limits, bodies: FrameBodies): Deliver {
  const queue = queueName(fields.queue, 'queue', limits)
  const leaseMs = integerAt(fields, 'leaseMs', LEASE_MS_MIN, LEASE_MS_MAX)
  const timeLimitMs = optionalDurationAt(fields, 'timeLimitMs')
  const ids = taskIdsAt(fields, limits)
  const leases = countersAt(fields, 'leases', limits.batchItemsMax)
  if (leases.length !== ids.length) throw badMessage('As many leases as ids are needed here.', 'leases')
  const deliver: Deliver = { type: 'deliver', queue, leaseMs, ids, leases, ...bodies.take(fields, ids.length) }
  if (timeLimitMs !== undefined) deliver.timeLimitMs = timeLimitMs
  if (fields.start !== undefined) deliver.start = startOf(fields.start, limits)
  if (fields.attempts !== undefined) deliver.attempts = attemptsAt(fields, ids.length, limits)
  return deliver
}

/**
 * A newer broker may use a start mode that this side does not know. `alone` is the strictest mode, so it is the safe
 * choice.
 */
function startOf(value: unknown, limits: Limits): Start {
  return text(value, 'start', limits.nameLengthMax) === 'announced' ? 'announced' : 'alone'
}

function attemptsAt(fields: Fields, count: number, { batchItemsMax }: Limits): number[] {
  const attempts = itemsAt(fields, 'attempts', batchItemsMax, (item) => integer(item, '', 1, Number.MAX_SAFE_INTEGER))
  if (attempts.length !== count) throw badMessage('As many attempts as ids are needed here.', 'attempts')
  return attempts
}

function decodeSucceeded(fields: Fields, limits: Limits, bodies: FrameBodies): Succeeded {
  if (fields.ids !== undefined) {
    const ids = taskIdsAt(fields, limits)
    return { type: 'succeeded', ids, ...bodies.take(fields, ids.length) }
  }
  const ref = counterAt(fields, 'ref')
  const indexes = countersAt(fields, 'indexes', limits.batchItemsMax)
  return { type: 'succeeded', ref, indexes, ...bodies.take(fields, indexes.length) }
}

function decodeEnded(fields: Fields, limits: Limits): EndedTask {
  const ended: EndedTask = {
    ...taskNameOf(fields),
    status: choiceAt(fields, 'status', ENDED_STATUSES),
    attempts: counterAt(fields, 'attempts'),
  }
  if (fields.reason !== undefined) ended.reason = choiceAt(fields, 'reason', DEAD_REASONS)
  if (fields.error !== undefined) ended.error = failureAt(fields, limits)
  return ended
}

function decodeTaskStatus(fields: Fields, limits: Limits): TaskStatus {
  const status: TaskStatus = { id: taskIdAt(fields, 'id'), state: choiceAt(fields, 'state', TASK_STATES) }
  if (fields.queue !== undefined) status.queue = queueName(fields.queue, 'queue', limits)
  if (fields.attempts !== undefined) status.attempts = counterAt(fields, 'attempts')
  if (fields.progress !== undefined) status.progress = progressAt(fields, limits)
  if (fields.ageMs !== undefined) status.ageMs = counterAt(fields, 'ageMs')
  const readyInMs = optionalDurationAt(fields, 'readyInMs')
  if (readyInMs !== undefined) status.readyInMs = readyInMs
  if (fields.reason !== undefined) status.reason = choiceAt(fields, 'reason', DEAD_REASONS)
  if (fields.error !== undefined) status.error = failureAt(fields, limits)
  return status
}

function failureAt(fields: Fields, limits: Limits) {
  const failure = recordAt(fields, 'error')
  try {
    return failureOf(failure, limits)
  } catch (caught) {
    throw within(caught, 'error')
  }
}

function refusedAt(fields: Fields, limits: Limits): { index: number; error: WireError }[] {
  return itemsAt(fields, 'refused', limits.batchItemsMax, (item) => {
    const refused = record(item)
    const index = counterAt(refused, 'index')
    const error = recordAt(refused, 'error')
    try {
      return { index, error: wireErrorOf(error, limits) }
    } catch (caught) {
      throw within(caught, 'error')
    }
  })
}

function wireErrorOf(fields: Fields, limits: Limits): WireError {
  const code = textAt(fields, 'code', limits.nameLengthMax)
  // A newer broker may use codes that this side does not know. Each of them means that the request failed.
  const known: ErrorCode = Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'internal'
  const error: WireError = { code: known, message: textAt(fields, 'message', limits.messageLengthMax) }
  if (fields.field !== undefined) error.field = textAt(fields, 'field', limits.messageLengthMax)
  if (fields.limit !== undefined) error.limit = counterAt(fields, 'limit')
  const retryAfterMs = optionalDurationAt(fields, 'retryAfterMs')
  if (retryAfterMs !== undefined) error.retryAfterMs = retryAfterMs
  return error
}

function decodeWelcome(fields: Fields, limits: Limits): Welcome {
  const begins = optionalBooleanAt(fields, 'begins')
  const tokenExpiresInMs = optionalDurationAt(fields, 'tokenExpiresInMs')
  return {
    type: 'welcome',
    version: integerAt(fields, 'version', 1, VERSION_MAX),
    session: textAt(fields, 'session', limits.nameLengthMax),
    resumed: booleanAt(fields, 'resumed'),
    lostLeases: countersAt(fields, 'lostLeases', resumedLeasesMax(limits)),
    submitCredit: counterAt(fields, 'submitCredit'),
    heartbeatMs: durationAt(fields, 'heartbeatMs'),
    graceMs: durationAt(fields, 'graceMs'),
    durability: choiceAt(fields, 'durability', DURABILITIES),
    limits: limitsAt(fields),
    ...(begins ? { begins } : {}),
    ...(tokenExpiresInMs === undefined ? {} : { tokenExpiresInMs }),
  }
}

function limitsAt(fields: Fields): Limits {
  const stated = recordAt(fields, 'limits')
  const limits: Limits = { ...DEFAULT_LIMITS }
  try {
    for (const name of Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]) {
      limits[name] = optionalIntegerAt(stated, name, 1, Number.MAX_SAFE_INTEGER) ?? DEFAULT_LIMITS[name]
    }
  } catch (caught) {
    throw within(caught, 'limits')
  }
  return limits
}
