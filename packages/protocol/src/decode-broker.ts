import { contentTypeOf, failureOf, progressAt, queueName, taskIdAt } from './decode-fields.ts'
import { ERRORS, type ErrorCode, type WireError } from './errors.ts'
import type { FrameBodies } from './frame-bodies.ts'
import { DEFAULT_LIMITS, LEASE_MS_MAX, LEASE_MS_MIN, type Limits, VERSION_MAX } from './limits.ts'
import type {
  BrokerMessage,
  Deliver,
  DeliveredTask,
  ErrorMessage,
  Status,
  TaskOutcome,
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
  integerAt,
  itemsAt,
  optionalBooleanAt,
  optionalDurationAt,
  optionalIntegerAt,
  record,
  recordAt,
  textAt,
  within,
} from './validate.ts'

const DURABILITIES = ['strict', 'relaxed', 'memory'] as const
const OUTCOME_STATUSES = ['succeeded', 'dead', 'cancelled'] as const
const TASK_STATES = ['delayed', 'ready', 'leased', 'succeeded', 'dead', 'cancelled', 'unknown'] as const
const DEAD_REASONS = ['attempts_exhausted', 'not_retryable', 'expired', 'lease_expired'] as const
const REVOKE_REASONS = ['cancelled', 'expired'] as const

/** One message of a broker from the parsed header `fields`; throws a Refusal. */
export function decodeBrokerMessage(fields: Fields, limits: Limits, bodies: FrameBodies): BrokerMessage {
  switch (fields.type) {
    case 'deliver':
      return decodeDeliver(fields, limits, bodies)
    case 'outcome':
      return {
        type: 'outcome',
        tasks: itemsAt(fields, 'tasks', limits.batchItemsMax, (item, index) =>
          decodeOutcome(record(item), index, limits, bodies),
        ),
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
    case 'submitCredit':
      return { type: 'submitCredit', credit: counterAt(fields, 'credit') }
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
          return { id: taskIdAt(update, 'id'), progress: progressAt(update, limits) }
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
      throw badMessage('No message of a broker has this type.', 'type')
  }
}

function decodeDeliver(fields: Fields, limits: Limits, bodies: FrameBodies): Deliver {
  const queue = queueName(fields.queue, 'queue', limits)
  const leaseMs = integerAt(fields, 'leaseMs', LEASE_MS_MIN, LEASE_MS_MAX)
  const timeLimitMs = optionalDurationAt(fields, 'timeLimitMs')
  const tasks = itemsAt(fields, 'tasks', limits.batchItemsMax, (item, index) => {
    const task = record(item)
    const id = taskIdAt(task, 'id')
    const lease = counterAt(task, 'lease')
    const attempt = integerAt(task, 'attempt', 1, Number.MAX_SAFE_INTEGER)
    const bytes = bodies.take(task, 'tasks', index, false)
    const contentType = contentTypeOf(task, limits)
    const delivered: DeliveredTask =
      contentType === undefined ? { id, lease, attempt, bytes } : { id, lease, attempt, bytes, contentType }
    return delivered
  })
  const deliver: Deliver = { type: 'deliver', queue, leaseMs, tasks }
  if (timeLimitMs !== undefined) deliver.timeLimitMs = timeLimitMs
  return deliver
}

function decodeOutcome(fields: Fields, index: number, limits: Limits, bodies: FrameBodies): TaskOutcome {
  const id = taskIdAt(fields, 'id')
  const status = choiceAt(fields, 'status', OUTCOME_STATUSES)
  const attempts = counterAt(fields, 'attempts')
  const bytes = bodies.take(fields, 'tasks', index, true)
  const contentType = contentTypeOf(fields, limits)
  const outcome: TaskOutcome =
    contentType === undefined ? { id, status, attempts, bytes } : { id, status, attempts, bytes, contentType }
  if (fields.reason !== undefined) outcome.reason = choiceAt(fields, 'reason', DEAD_REASONS)
  if (fields.error !== undefined) outcome.error = failureAt(fields, limits)
  return outcome
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
  // A newer broker may have codes that this side does not know; each of them is some failure of the request.
  const known: ErrorCode = Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'internal'
  const error: WireError = { code: known, message: textAt(fields, 'message', limits.messageLengthMax) }
  if (fields.field !== undefined) error.field = textAt(fields, 'field', limits.messageLengthMax)
  if (fields.limit !== undefined) error.limit = counterAt(fields, 'limit')
  const retryAfterMs = optionalDurationAt(fields, 'retryAfterMs')
  if (retryAfterMs !== undefined) error.retryAfterMs = retryAfterMs
  return error
}

function decodeWelcome(fields: Fields, limits: Limits): Welcome {
  return {
    type: 'welcome',
    version: integerAt(fields, 'version', 1, VERSION_MAX),
    session: textAt(fields, 'session', limits.nameLengthMax),
    resumed: booleanAt(fields, 'resumed'),
    lostLeases: countersAt(fields, 'lostLeases', limits.creditMax),
    submitCredit: counterAt(fields, 'submitCredit'),
    heartbeatMs: durationAt(fields, 'heartbeatMs'),
    graceMs: durationAt(fields, 'graceMs'),
    durability: choiceAt(fields, 'durability', DURABILITIES),
    limits: limitsAt(fields),
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
